"""Damaged files: whatever stands in them, the check ends with problems or a sound study, never with an exception."""

import gzip
import random
from functools import cache
from pathlib import Path

import pytest

from exoliver import checks
from exoliver.problems import Problem, format_problems
from tests.toy import Toy, check, make_toy, problems_of, warnings_of, write_study

pytestmark = pytest.mark.faults

NASTY = (
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"1e400", b"1e300", b"-1", b"0.5", b"inf", b"nan", b".inf", b"9" * 30,
    b"9" * 5000, b"~", b"true", b"[", b"{", b"]", b"}", b"*x", b"&x ", b"!!x ", b": ", b"- ", b"? ", b"\t", b"\n",
    b"\r", b"\r\n", b'"', b"'", b"#", b"|", b">", b"%", b"@", b"", b"\xc2\x85", b"\xe2\x80\xa8", b"\x1b[31m",
    b'"\\ud800"', b'"\\0"', b"a" * 300, b"..", b"/", b"<<: {a: b}", b"[" * 40, b"1_0", b"_vs_", b"\xf0\x9f\x98\x80",
)  # fmt: skip
FILES = ("study.yaml", "toy/dataset.yaml", "toy/samples.tsv", "toy/counts.tsv", "toy/counts.tsv.gz", "toy/samples.xlsx")
FOREMOST = 800  # bytes of the file that are changed: header and first rows


def study(folder: Path, name: str) -> None:
    """A sound study that uses most keys, and the file that is to be damaged."""
    toy: Toy = make_toy()
    toy.yaml |= {"donor": "donor", "numeric_covariates": ["rin"]}
    toy.yaml["contrasts"] = {"late": {"of": {"arm": "treated", "time": [7]}, "against": {"arm": "injured", "time": 7}}}
    toy.yaml["samples"] |= {"where": {"batch": ["a", "b"]}, "exclude": {"treated_7_3": "failed"}}
    toy.yaml["injury"] = {"class": "toxic", "onset": 0}
    toy.levels["treated"] |= {"dose": 1e6, "doses_at": [1, 2], "product": "ev", "engineered": False}
    if name.endswith((".gz", ".xlsx")):
        toy.yaml["counts" if "counts" in name else "samples"]["file"] = name
    write_study(folder, toy, set_size={"min": 5, "max": 50}, panel={"anti": ["MCL1"], "pro": ["BAX"]})
    if name.endswith(".gz"):
        Path(name).write_bytes(gzip.compress(Path("toy/counts.tsv").read_bytes(), mtime=0))
    if name.endswith(".xlsx"):
        toy.sheet.to_excel(name, index=False)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """The content with one to three changes: a byte, a loss, something nasty put in, a cut or a repetition."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        place = rng.randrange(max(1, min(len(data), FOREMOST)))
        match rng.randrange(8):
            case 0 | 1:
                data[place : place + 1] = bytes([rng.randrange(256)])
            case 2:
                del data[place : place + rng.choice((1, 2, 20))]
            case 3 | 4 | 5:
                data[place : place + rng.choice((0, 1, 5))] = rng.choice(NASTY)
            case 6:
                del data[place:]
            case _:
                data[place:place] = data[place : place + 60]
    return bytes(data)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_a_problem_and_no_exception(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forty seeded changes of each file: the check ends, and what it says can be printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checks, "read_annotation", cache(checks.read_annotation))
    study(tmp_path, name)
    assert problems_of(check()) == []
    content = Path(name).read_bytes()
    rng = random.Random(name)
    faulty = 0
    for _ in range(40):
        Path(name).write_bytes(damaged(content, rng))
        preflight = check()
        said = [Problem(**item) for item in problems_of(preflight) + warnings_of(preflight)]
        assert all(item.where and item.what and item.fix for item in said)
        format_problems(said).encode("utf-8")
        faulty += bool(problems_of(preflight))
    assert faulty > 10  # the changes do damage
