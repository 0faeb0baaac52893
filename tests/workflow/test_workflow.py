"""The workflow as a whole: complete, deterministic, offline, and rerunning what changed and no more."""

import os
import re
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.snakemake_run import snakemake
from tests.workflow.conftest import Workplace

pytestmark = pytest.mark.workflow

REPORTS = {"report_dataset", "export_figures", "write_supplement", "report_overview", "record_provenance", "all"}
# Digests of the input files differ when these are shuffled, and so do those of what quotes them.
OF_INPUT = ("provenance/inputs.tsv", "provenance/ro-crate-metadata.json")
DIGEST = re.compile(rb"\b[0-9a-f]{64}\b")


def outputs(folder: Path) -> dict[str, bytes]:
    """Every output file of a run, by its path below results/."""
    results = folder / "results"
    files = sorted(path for path in results.rglob("*") if path.is_file() and path.name != ".snakemake_timestamp")
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in files}


def test_the_run_succeeds_and_every_stage_leaves_its_files(small: Workplace) -> None:
    """Exit status 0, and the files of the contract are there."""
    assert small.run.status == 0, small.run.output
    expected = {
        "preflight.json",
        "report.html",
        "provenance/methods.md",
        "provenance/software.tsv",
        "datasets/small/check.json",
        "datasets/small/counts.h5ad",
        "datasets/small/identifiers.tsv",
        "datasets/small/ledger.tsv",
        "datasets/small/model/arrays.npz",
        "datasets/small/model/design.json",
        "datasets/small/normalised.h5ad",
        "datasets/small/contrasts/bm_msc_vs_ccl4__7d_vs_1d.tsv",
        "datasets/small/gene_sets/programmes.tsv",
        "datasets/small/enrichment/programmes/bm_msc_vs_ccl4.tsv",
        "datasets/small/overrepresentation/programmes/bm_msc_vs_ccl4.tsv",
        "datasets/small/exports/programmes/programmes.gmt",
        "datasets/small/exports/programmes/bm_msc_vs_ccl4.rnk",
        "datasets/small/exports/programmes/bm_msc_vs_ccl4.enrichmentmap.txt",
        "datasets/small/programmes/effects.tsv",
        "datasets/small/programmes/changes.tsv",
        "datasets/small/programmes/trajectories.tsv",
        "datasets/small/programmes/equivalence.tsv",
        "datasets/small/programmes/scores.tsv",
        "datasets/small/rescue/programmes.tsv",
        "datasets/small/rescue/comparisons.tsv",
        "datasets/small/rescue/genes.tsv",
        "datasets/small/rescue/summary.tsv",
        "datasets/small/timepoints/genes.tsv",
        "datasets/small/panel.tsv",
        "datasets/small/genes/Mcl1.tsv",
        "datasets/small/report.html",
        "datasets/small/supplement.xlsx",
    }
    assert expected <= set(outputs(small.folder))


def test_it_runs_with_the_network_closed(small: Workplace) -> None:
    """No job opened a connection: the module that refuses them was loaded, and nothing failed."""
    assert (small.folder / "closed_network/loaded").is_file()
    assert small.run.status == 0
    assert "the network is closed" not in small.run.output


def test_nothing_is_written_outside_results_logs_and_benchmarks(small: Workplace, root: Path) -> None:
    """A run adds three folders (and Snakemake's own)."""
    before = {path.name for path in root.iterdir()} | {"data", "closed_network"}
    assert {path.name for path in small.folder.iterdir()} - before <= {"results", "logs", "benchmarks", ".snakemake"}


def test_every_figure_is_there_in_three_formats(small: Workplace) -> None:
    """The page's links to its figures lead somewhere; the folder that carried them from rule to rule is gone."""
    folder = small.folder / "results/datasets/small"
    page = (folder / "report.html").read_text(encoding="utf-8")
    linked = {Path(link).stem for link in re.findall(r'href="(figures/[^"]+\.svg)"', page)}
    names = {kind: {path.stem for path in (folder / "figures").glob(f"*.{kind}")} for kind in ("svg", "pdf", "png")}
    assert linked
    assert linked <= names["svg"]
    assert names["svg"] == names["pdf"] == names["png"]
    assert not (folder / "pictures").exists()


def test_snakemakes_own_report_needs_no_network(small: Workplace, tmp_path: Path) -> None:
    """`--report` packs pages, figures, workbook and provenance with their captions, and points nowhere outside."""
    closed = {"PYTHONPATH": str(small.folder / "closed_network")}
    target = tmp_path / "report.zip"
    run = snakemake(small.folder, "--report", str(target), "--config", "study=data/study.yaml", env=closed)
    assert run.status == 0, run.output
    with zipfile.ZipFile(target) as archive:
        packed = {name.split("/", 4)[-1]: archive.read(name) for name in archive.namelist() if "/data/raw/" in name}
        page = archive.read("report/report.html").decode()
    made = outputs(small.folder)
    expected = {
        Path(name).name: content
        for name, content in made.items()
        if re.search(r"figures/.*\.svg$|supplement\.xlsx$|methods\.md$|software\.tsv$|inputs\.tsv$", name)
    }
    assert {name: packed.get(name) for name in expected} == expected
    assert packed["report.html"] in (made["report.html"], made["datasets/small/report.html"])
    for words in ("The report of dataset small", "did the treatment bring", "Its first sheet says what every column"):
        assert words in page
    assert re.findall(r"""(?:src|href)=["']https?://|url\(["']?https?://|@import""", page) == []


def test_cores_and_input_order_change_no_byte(small: Workplace, small_shuffled: Workplace) -> None:
    """One core and two, input rows and columns shuffled: the same bytes in every output file."""
    assert small_shuffled.run.status == 0, small_shuffled.run.output
    one, two = outputs(small.folder), outputs(small_shuffled.folder)
    assert set(one) == set(two)
    for files in (one, two):  # the page quotes the digests of its input too, and nothing else may differ
        files["datasets/small/report.html"] = DIGEST.sub(b"", files["datasets/small/report.html"])
    differing = [name for name in one if one[name] != two[name] and name not in OF_INPUT]
    assert differing == []


def test_no_output_names_a_machine_or_a_path_of_it(small: Workplace) -> None:
    """No text output holds the working directory, the home or the host."""
    words = [
        str(small.folder).encode(),
        str(Path.home()).encode() + b"/",
        os.uname().nodename.encode(),
        tempfile.gettempdir().encode(),
    ]
    texts = {name: content for name, content in outputs(small.folder).items() if not name.endswith((".h5ad", ".npz"))}
    found = [(name, word) for name, content in texts.items() for word in words if len(word) > 3 and word in content]
    assert found == []


def test_a_second_run_has_nothing_to_do(small: Workplace) -> None:
    """Nothing is rerun without a change."""
    assert "Nothing to be done" in small.again().output


def test_every_output_has_a_log_without_warnings_of_ours(small: Workplace) -> None:
    """Every rule logs under its name; no warning points into the package."""
    logs = sorted((small.folder / "logs").rglob("*.log"))
    assert {log.relative_to(small.folder / "logs").parts[0] for log in logs} >= {"fit_model", "check_dataset"}
    noisy = [log.name for log in logs if "exoliver/" in log.read_text() and "Warning" in log.read_text()]
    assert noisy == []


@pytest.fixture
def copy(small: Workplace, tmp_path: Path) -> Workplace:
    """The finished small study, to be edited."""
    assert small.run.status == 0, small.run.output
    folder = tmp_path / "clone"
    shutil.copytree(small.folder, folder)
    return Workplace(folder, small.run)


def test_a_new_title_reruns_the_reports_only(copy: Workplace) -> None:
    """A title is text on pages."""
    copy.edit("data/small.yaml", old="title: A small dataset", new="title: Another title")
    assert set(copy.again("--dry-run").jobs()) == REPORTS


def test_a_new_contrast_reruns_no_fit(copy: Workplace) -> None:
    """A contrast is estimated on the fit that is there, with what follows from it, and gets its files."""
    extra = "contrasts: {late: {of: {arm: bm_msc, time: 7}, against: {arm: healthy, time: 7}}}\n"
    path = copy.folder / "data/small.yaml"
    path.write_text(path.read_text() + extra)
    done = copy.again()
    assert done.status == 0, done.output
    of_programmes = {"score_programmes", "score_rescue", "score_panel"}
    of_contrasts = {"estimate_contrasts", "enrich_contrasts", "compare_timepoints", *of_programmes}
    assert set(done.finished()) == {"check_dataset", "preflight", *of_contrasts, *REPORTS}
    assert (copy.folder / "results/datasets/small/contrasts/late.tsv").is_file()
    assert (copy.folder / "results/datasets/small/enrichment/programmes/late.tsv").is_file()
    assert "Nothing to be done" in copy.again().output


def test_a_new_dataset_reruns_nothing_of_the_others(copy: Workplace) -> None:
    """Jobs of the first dataset stay done; an edit of its title in the same breath is not overlooked."""
    second = (copy.folder / "data/small.yaml").read_text().replace("id: small", "id: second")
    (copy.folder / "data/second.yaml").write_text(second)
    copy.edit("data/study.yaml", old="[data/small.yaml]", new="[data/small.yaml, data/second.yaml]")
    copy.edit("data/small.yaml", old="title: A small dataset", new="title: Another title")
    before = {path: path.stat().st_mtime_ns for path in (copy.folder / "results/datasets/small").rglob("*.*")}
    done = copy.again()
    assert done.status == 0, done.output
    after = {path for path, time in before.items() if path.stat().st_mtime_ns != time}
    of_pages = {"report.html", "figures", "supplement.xlsx"}
    assert all(of_pages & set(path.relative_to(copy.folder).parts) for path in after), after
    assert "Another title" in (copy.folder / "results/datasets/small/report.html").read_text()


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        (
            "exoliver/timepoints.py",
            'COMPARED = ("at_time", "change")',
            'COMPARED = ("at_time", "change", "none")',
            {"compare_timepoints", *REPORTS} - {"report_overview"},  # which does not read the comparison
        ),
        ("exoliver/timepoints.py", '"""Over time: effects', '"""In time: effects', set()),
        (
            "exoliver/loading.py",
            "from __future__ import annotations",
            "from __future__ import annotations\nX = 1",
            set(),
        ),
    ],
)
def test_a_changed_function_reruns_its_stage_and_a_docstring_nothing(
    copy: Workplace, file: str, old: str, new: str, expected: set[str]
) -> None:
    """Code counts, words about it do not; modules whose decisions reach the rules in params do not either."""
    copy.edit(file, old=old, new=new)
    assert set(copy.again("--dry-run").jobs()) == expected


def test_a_changed_reader_reruns_the_check_and_the_import(copy: Workplace) -> None:
    """Code that the checks and a later stage share reruns both in one run."""
    copy.edit("exoliver/counts.py", old='"Strand", "Length")', new='"Strand", "Length", "Width")')
    done = copy.again()
    assert done.status == 0, done.output
    assert {"check_dataset", "preflight", "import_counts", "fit_model"} <= set(done.finished())


def test_a_changed_setting_reruns_what_uses_it(copy: Workplace) -> None:
    """Another gene filter needs another fit, another size of gene sets only enrichment."""
    copy.edit(
        "data/study.yaml",
        old="collections: [programmes]",
        new="collections: [programmes]\nset_size: {min: 12, max: 400}",
    )
    jobs = set(copy.again("--dry-run").jobs())
    assert not jobs & {"fit_model", "estimate_contrasts"}
    assert "enrich_contrasts" in jobs
    path = copy.folder / "data/small.yaml"
    path.write_text(path.read_text() + "gene_filter: {min_count: 5, min_samples: 2}\n")
    done = copy.again()  # the checks read the gene filter too, so that a dry run ends at them
    assert done.status == 0, done.output
    assert {"check_dataset", "fit_model", "estimate_contrasts", "enrich_contrasts"} <= set(done.finished())


def test_both_snakefiles_plan_the_same(small: Workplace) -> None:
    """`workflow/Snakefile` has the same default target."""
    arguments = ("--dry-run", "--forceall", "--config", "study=data/study.yaml")
    usual = snakemake(small.folder, *arguments)
    other = snakemake(small.folder, *arguments, snakefile=Path("workflow/Snakefile"))
    assert usual.jobs() == other.jobs() != {}


def test_the_default_study_does_not_leak_into_a_configfile(small: Workplace) -> None:
    """`--configfile` names a study too, and nothing of the default one is in it."""
    planned = snakemake(small.folder, "--dry-run", "--forceall", "--configfile", "data/study.yaml")
    assert planned.status == 0, planned.output
    assert "demo_" not in planned.output


def test_the_check_command_agrees(small: Workplace) -> None:
    """`python -m exoliver check` finds the study sound."""
    import subprocess

    command = [sys.executable, "-m", "exoliver", "check", "data/study.yaml"]
    done = subprocess.run(command, cwd=small.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
