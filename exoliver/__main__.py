"""`python -m exoliver`: arguments in, text and exit status out. 0 sound, 1 problems, 2 usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from exoliver.commands import SCHEMAS, Answer, answer_check, answer_schema, answer_without_faulty


def parse(arguments: Sequence[str] | None = None) -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """The parser, and what the user asked for; exits with status 2 where that cannot be understood."""
    parser = argparse.ArgumentParser(prog="python -m exoliver", description="Checks of a study, and its schemas.")
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="every problem and warning of a study, before anything is computed")
    check.add_argument("study", nargs="+", metavar="STUDY", help="YAML of a study")
    check.add_argument("--drop-faulty", action="store_true", help="print the study without its faulty datasets")
    schema = commands.add_parser("schema", help="JSON schemas, for editors")
    schema.add_argument("kind", nargs="?", choices=sorted(SCHEMAS), help="default: both")
    return parser, parser.parse_args(arguments)


def answer(arguments: Sequence[str] | None = None) -> Answer:
    """The answer to a command line."""
    parser, options = parse(arguments)
    if options.command == "schema":
        return answer_schema(options.kind)
    if not options.drop_faulty:
        return answer_check(options.study)
    if len(options.study) > 1:
        parser.error("--drop-faulty takes one study")
    return answer_without_faulty(options.study[0])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the answer; its exit status comes back."""
    given = answer(arguments)
    if given.aside:
        print(given.aside, file=sys.stderr)
    if given.text:
        print(given.text)
    return given.status


if __name__ == "__main__":
    sys.exit(main())
