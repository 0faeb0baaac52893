"""Figures for papers: PDF and PNG of one size, with what the SVG says, and the same bytes on every run."""

import hashlib
import io
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert
from PIL import Image

from exoliver.figures.export import DOTS, export_pictures, on_paper, printed_svg, read_pictures, write_pictures
from exoliver.figures.figure import Figure, finish, write_figures
from exoliver.figures.pdf import canonical_pdf
from exoliver.figures.style import Look, inline
from tests.sources import ROOT

SVG_OPEN = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="40" viewBox="0 0 80 40">'


def make_figure(*, simulated: bool = True) -> Figure:
    """A scatter plot with a bold title, a regular axis, half transparent points and a label that nobody sees."""
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [3.0, 1.0, 2.0], "text": ["one", "two", "three"]})
    base = alt.Chart(inline(table)).encode(x="x:Q", y="y:Q")
    chart = alt.layer(base.mark_point(filled=True, opacity=0.5), base.mark_text(opacity=0).encode(text="text:N"))
    look = Look(labels={}, colours={}, simulated=simulated)
    return finish(chart, look, name="scatter", title="Points = of two kinds", alt_text="Points.", data=table)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """The exports of the figure."""
    figure = make_figure()
    return export_pictures({figure.name: figure.svg})


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue of a PNG on white."""
    image = Image.open(io.BytesIO(png)).convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return np.asarray(Image.alpha_composite(white, image).convert("RGB"), dtype=float)


def pdf_text(content: bytes) -> str:
    """The text of a PDF of one page, letter by letter through the tables of its fonts."""
    streams = {}
    for match in re.finditer(rb"(\d+) 0 obj\n(.*?)stream\n", content, flags=re.DOTALL):
        size = int(re.search(rb"/Length (\d+)", match[2])[1])
        data = content[match.end() : match.end() + size]
        streams[int(match[1])] = zlib.decompress(data) if b"FlateDecode" in match[2] else data
    fonts = {}
    for name, number in re.findall(rb"/(fo\d+) (\d+) 0 R", content):
        font = re.search(rb"\n%s 0 obj\n.*?/ToUnicode (\d+) 0 R" % number, content, flags=re.DOTALL)
        pairs = re.findall(rb"<(\w{4})> <(\w{4})>", streams[int(font[1])].partition(b"beginbfchar")[2])
        fonts[name] = {int(glyph, 16): chr(int(letter, 16)) for glyph, letter in pairs}
    words = []
    for stream in streams.values():
        font = {}
        for name, text in re.findall(rb"/(fo\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", stream, flags=re.DOTALL):
            if name:
                font = fonts[name]
                continue
            plain = text.decode("latin1").encode("latin1").decode("unicode_escape").encode("latin1")
            words.append("".join(font.get(int.from_bytes(plain[i : i + 2]), "?") for i in range(0, len(plain), 2)))
    return "".join(words)


def test_every_picture_has_three_files(files: dict[str, bytes]) -> None:
    """SVG as it was, a PDF and a PNG, under one name."""
    assert sorted(files) == [f"scatter_simulated.{kind}" for kind in ("pdf", "png", "svg")]
    assert files["scatter_simulated.svg"].decode() == make_figure().svg
    assert files["scatter_simulated.pdf"].startswith(b"%PDF-")
    assert files["scatter_simulated.png"].startswith(b"\x89PNG")


def test_all_three_have_one_printed_size(files: dict[str, bytes]) -> None:
    """Pixels of 1/96 inch are points of 1/72 in the PDF, and 300 dots per inch in the PNG."""
    width, height = (float(re.search(rf'{side}="([\d.]+)"', make_figure().svg)[1]) for side in ("width", "height"))
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", files["scatter_simulated.pdf"])
    assert [float(box[1]) / 72, float(box[2]) / 72] == pytest.approx([width / 96, height / 96], abs=0.01)
    image = Image.open(io.BytesIO(files["scatter_simulated.png"]))
    assert image.info["dpi"] == pytest.approx((DOTS, DOTS), abs=0.1)
    assert [image.width / 300, image.height / 300] == pytest.approx([width / 96, height / 96], abs=0.01)


def test_text_of_the_pdf_stays_text(files: dict[str, bytes]) -> None:
    """Title and axis can be searched for; a label that nobody sees is not there."""
    text = pdf_text(files["scatter_simulated.pdf"])
    assert "Points = of two kinds" in text
    assert "0.0" in text
    assert "three" not in text


def test_simulated_data_are_named_so_in_every_file(files: dict[str, bytes]) -> None:
    """The mark is text of the SVG and of the PDF, and pixels of the PNG."""
    figure = make_figure()
    assert "simulated data" in figure.svg
    assert "simulated data" in pdf_text(files["scatter_simulated.pdf"])
    unmarked = export_pictures({"bare": figure.svg.replace(">simulated data<", "><")})
    differing = pixels(files["scatter_simulated.png"]) != pixels(unmarked["bare.png"])
    assert differing.any(axis=2).sum() > 500
    real = make_figure(simulated=False)
    assert "simulated" not in pdf_text(export_pictures({"real": real.svg})["real.pdf"])


def test_a_png_is_on_white_to_its_edges(files: dict[str, bytes]) -> None:
    """No pixel lets a dark page through."""
    image = np.asarray(Image.open(io.BytesIO(files["scatter_simulated.png"])).convert("RGBA"))
    assert (image[..., 3] == 255).all()
    assert (image[0, :, :3] == 255).all()


def test_the_printed_picture_is_the_same_picture() -> None:
    """Opacity told another way, and nothing seen that was not, changes next to no pixel."""
    svg = make_figure().svg
    before = pixels(vl_convert.svg_to_png(on_paper(svg), scale=0.75, ppi=DOTS))
    after = pixels(vl_convert.svg_to_png(on_paper(printed_svg(svg)), ppi=DOTS))
    assert before.shape == after.shape
    assert np.abs(before - after).mean() < 0.05


@pytest.mark.parametrize(
    ("marks", "expected", "lost"),
    [
        ('<circle r="3" opacity="0.5"/>', 'fill-opacity="0.5"', ' opacity="0.5"'),
        ('<g fill="none" stroke="red"><path d="M0,0h9" opacity="0.5"/></g>', 'stroke-opacity="0.5"', ' opacity="0.5"'),
        ('<g stroke="red"><circle r="3" opacity="0.5"/></g>', ' opacity="0.5"', "-opacity"),
        ('<g opacity="0.5"><circle r="3"/><circle r="2"/></g>', ' opacity="0.5"', "-opacity"),
        ('<circle r="3" fill-opacity="0.4" opacity="0.5"/>', ' opacity="0.5"', 'fill-opacity="0.5"'),
        ('<rect width="5"/><text opacity="0">unseen</text>', "rect", "unseen"),
    ],
)
def test_opacity_moves_to_the_paint_where_there_is_one(marks: str, expected: str, lost: str) -> None:
    """With fill and stroke, or for a group, the two mean different pictures and it stays."""
    printed = printed_svg(f"{SVG_OPEN}{marks}</svg>")
    assert expected in printed
    assert lost not in printed


def test_the_order_in_which_a_pdf_was_written_is_gone() -> None:
    """The converter orders fonts by chance; of a dozen drawings there is one left."""
    svg = printed_svg(make_figure().svg)
    assert len({canonical_pdf(vl_convert.svg_to_pdf(svg)) for _ in range(12)}) == 1


def test_a_pdf_keeps_its_objects_and_finds_them(files: dict[str, bytes]) -> None:
    """Every entry of the table points at its object, every reference at one that is there, and no object is lost."""
    content = files["scatter_simulated.pdf"]
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF$", content)[1])
    table = content[start:].split(b"trailer")[0].splitlines()
    assert table[:3] == [b"xref", b"0 %d" % (len(table) - 2), b"0000000000 65535 f"]
    for number, line in enumerate(table[3:], start=1):
        assert len(line) == 18
        assert content[int(line[:10]) :].startswith(b"%d 0 obj\n" % number)
    heads = re.sub(rb"stream\n.*?\nendstream", b"", content, flags=re.DOTALL)
    named = {int(number) for number in re.findall(rb"\b(\d+) 0 R\b", heads)}
    assert named == set(range(1, len(table) - 2))
    raw = vl_convert.svg_to_pdf(printed_svg(make_figure().svg))
    assert len(re.findall(rb"\d+ 0 obj\n", raw)) == len(table) - 3


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4\nnothing", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"])
def test_a_pdf_of_another_make_is_refused(content: bytes) -> None:
    """Nothing is put in order that is not understood."""
    with pytest.raises(ValueError, match="svg2pdf did not write"):
        canonical_pdf(content)


def test_a_stream_without_length_is_refused() -> None:
    """Where it ends could only be guessed."""
    content = b"%PDF-1.7\n1 0 obj\n<<>>\nstream\nx\nendstream\nendobj\ntrailer\n/Root 1 0 R\n/Info 1 0 R"
    with pytest.raises(ValueError, match="length"):
        canonical_pdf(content)


def test_pictures_are_read_as_they_were_written(tmp_path: Path) -> None:
    """What the page wrote is what is drawn, and every file lands in the folder."""
    write_figures([make_figure()], tmp_path / "pictures")
    pictures = read_pictures(tmp_path / "pictures")
    assert pictures == {"scatter_simulated": make_figure().svg + "\n"}
    drawn = export_pictures(pictures)
    write_pictures(drawn, tmp_path / "figures")
    assert {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == drawn


def test_two_processes_draw_the_same_bytes(files: dict[str, bytes]) -> None:
    """Whatever the seed of their hashes."""
    code = (
        "import hashlib; from tests.unit.test_export import *; figure = make_figure(); "
        "files = export_pictures({figure.name: figure.svg}); "
        "print(hashlib.sha256(b''.join(files[name] for name in sorted(files))).hexdigest())"
    )
    expected = hashlib.sha256(b"".join(files[name] for name in sorted(files))).hexdigest()
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
