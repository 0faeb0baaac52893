"""PDF files whose bytes are the same on every run.

The converter keeps fonts and graphics states in maps without an order, so that the same picture is numbered and
listed another way each time. Nothing else in its files changes: it writes no date and no id.
"""

from __future__ import annotations

import re

_OBJECT = re.compile(rb"(\d+) 0 obj\n")
_LENGTH = re.compile(rb"/Length (\d+)")
_REFERENCE = re.compile(rb"\b(\d+) 0 R\b")
_TRAILER = re.compile(rb"/Root (\d+) 0 R\s+/Info (\d+) 0 R")
_RESOURCE = re.compile(rb"\s+/([A-Za-z]+)(\d+) \d+ 0 R")
HEADER = b"%PDF-1.7\n%\x80\x80\x80\x80\n\n"


def canonical_pdf(content: bytes) -> bytes:
    """The same document with its objects in the order in which they are met from its root, and its resources by name.

    Parameters
    ----------
    content
        A file as svg2pdf writes it: objects in plain sight, one table of references.

    Raises
    ------
    ValueError
        The file is of another make.

    References
    ----------
    ISO 32000-1, 7.5: file structure.
    """
    trailer = _TRAILER.search(content, content.rfind(b"\ntrailer"))
    if not content.startswith(HEADER[:9]) or trailer is None:
        raise ValueError("a PDF file that svg2pdf did not write")
    objects = {number: _sorted_resources(body) for number, body in _objects(content).items()}
    root, info = int(trailer[1]), int(trailer[2])
    numbers = _numbering(objects, (root, info))
    text, places = bytearray(HEADER), []
    for old, new in numbers.items():
        places.append(len(text))
        text += b"%d 0 obj\n" % new + _renumbered(objects[old], numbers) + b"endobj\n\n"
    table = b"".join(b"%010d 00000 n\r\n" % place for place in places)
    size = len(numbers) + 1
    end = b"trailer\n<<\n  /Size %d\n  /Root %d 0 R\n  /Info %d 0 R\n>>\n" % (size, numbers[root], numbers[info])
    xref = b"xref\n0 %d\n0000000000 65535 f\r\n" % size
    return bytes(text) + xref + table + end + b"startxref\n%d\n%%%%EOF" % len(text)


def _objects(content: bytes) -> dict[int, tuple[bytes, bytes]]:
    """Dictionary and stream of each object by its number; an empty stream where there is none."""
    objects, place = {}, 0
    while match := _OBJECT.search(content, place):
        end = content.index(b"endobj", match.end())
        start = content.find(b"stream\n", match.end(), end)
        if start < 0:
            objects[int(match[1])] = (content[match.end() : end], b"")
            place = end
            continue
        head = content[match.end() : start]
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError("a stream of a PDF file that does not tell its length")
        end = content.index(b"endobj", start + len(b"stream\n") + int(length[1]))
        objects[int(match[1])] = (head, content[start:end])
        place = end
    return objects


def _sorted_resources(body: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """The object with every run of named resources in the order of their names."""
    head, stream = body
    lines: list[bytes] = []
    run: list[tuple[bytes, int, bytes]] = []
    for line in head.split(b"\n"):
        named = _RESOURCE.fullmatch(line)
        if named:
            run.append((named[1], int(named[2]), line))
            continue
        lines += [text for _, _, text in sorted(run)]
        run = []
        lines.append(line)
    return b"\n".join(lines), stream


def _numbering(objects: dict[int, tuple[bytes, bytes]], roots: tuple[int, int]) -> dict[int, int]:
    """New number of each object that can be reached, by its old one, in the order of the new ones."""
    numbers: dict[int, int] = {}
    waiting = list(reversed(roots))
    while waiting:
        old = waiting.pop()
        if old in numbers:
            continue
        numbers[old] = len(numbers) + 1
        waiting += [int(number) for number in reversed(_REFERENCE.findall(objects[old][0]))]
    return numbers


def _renumbered(body: tuple[bytes, bytes], numbers: dict[int, int]) -> bytes:
    """The object with its references under their new numbers."""
    head, stream = body
    return _REFERENCE.sub(lambda match: b"%d 0 R" % numbers[int(match[1])], head) + stream
