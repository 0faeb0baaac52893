"""Reads rule files as text: enough of their grammar to hold them to the house rules, without Snakemake."""

import re
from dataclasses import dataclass
from pathlib import Path

RULE = re.compile(r"^(?:rule|checkpoint)\s+(\w+)\s*:")
BLOCK = re.compile(r"^    (\w+):\s*(.*)$")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Rule:
    """One rule: its name, the file it is in, its number of lines and its blocks in order."""

    name: str
    file: Path
    lines: int
    blocks: dict[str, str]

    def strings(self, block: str) -> list[str]:
        """The string literals of a block."""
        return STRING.findall(without_comments(self.blocks.get(block, "")))

    def items(self, block: str) -> list[str]:
        """The comma-separated items of a block, as they are written."""
        return split_items(without_comments(self.blocks.get(block, "")))


def read_rules(file: Path) -> list[Rule]:
    """The rules of one file, in order."""
    lines = file.read_text(encoding="utf-8").splitlines()
    starts = [number for number, line in enumerate(lines) if RULE.match(line)]
    return [_rule(file, lines[start:end]) for start, end in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _rule(file: Path, lines: list[str]) -> Rule:
    """The rule that begins at the first line and ends before the next line without indent."""
    name = RULE.match(lines[0])[1]
    body = []
    for line in lines[1:]:
        if line.strip() and not line.startswith(" "):
            break
        body.append(line)
    written = [line for line in body if line.strip()]
    return Rule(name=name, file=file, lines=len(written) + 1, blocks=_blocks(written))


def _blocks(lines: list[str]) -> dict[str, str]:
    """Text of each block by its keyword."""
    blocks: dict[str, str] = {}
    current = ""
    for line in lines:
        if match := BLOCK.match(line):
            current = match[1]
            blocks[current] = match[2]
        elif current:
            blocks[current] += "\n" + line.strip()
    return blocks


def without_comments(text: str) -> str:
    """The code of a rule file; `#` within a string stays."""
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|#[^\n]*', lambda match: match[1] or "", text)


def split_items(text: str) -> list[str]:
    """Parts of an argument list, split at the commas that are in no bracket and no string."""
    items, depth, start = [], 0, 0
    masked = STRING.sub(lambda match: "_" * len(match[0]), text)
    for place, letter in enumerate(masked):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            items.append(text[start:place].strip())
            start = place + 1
    return [item for item in [*items, text[start:].strip()] if item]
