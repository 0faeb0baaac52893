"""Tables in and out: text cells, NA for missing, the same bytes for the same table."""

import gzip
import hashlib
import io
from pathlib import Path

import pandas as pd

RESOURCES = Path(__file__).resolve().parents[1]


def read_tsv(path: Path) -> pd.DataFrame:
    """Read a table as text, with NA and empty cells missing."""
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, na_values=["NA", ""])


def read_lines(path: Path) -> list[str]:
    """Lines of a text file, compressed or not."""
    raw = path.read_bytes()
    return (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8").splitlines()


def write_tsv(table: pd.DataFrame, path: Path) -> None:
    """Write a table; a compressed one carries no date and no name, so that equal tables are equal files."""
    text = table.to_csv(None, sep="\t", index=False, na_rep="NA", lineterminator="\n", float_format="%.10g")
    write_text(text, path)


def write_text(text: str, path: Path) -> None:
    """Write a text, compressed where the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix != ".gz":
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, compresslevel=9, mtime=0) as stream:
        stream.write(text.encode("utf-8"))
    path.write_bytes(buffer.getvalue())


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
