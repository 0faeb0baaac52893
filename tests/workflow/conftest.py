"""A small study, run once in a clone of its own, and runs of its variations."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.snakemake_run import Run, clone, snakemake

STUDY = """
title: A small study
datasets: [data/small.yaml]
collections: [programmes]
genes_of_interest: [Mcl1]
"""

DATASET = """
id: small
title: A small dataset
organism: mouse
counts: {file: data/counts.tsv.gz, identifiers: ensembl}
samples: {file: data/samples.tsv}
arms:
  column: group
  levels:
    healthy: {role: healthy, value: healthy}
    ccl4: {role: injured, value: ccl4}
    bm_msc: {role: treated, value: bm_msc, product: msc, source: bone_marrow}
time: {column: time, unit: day, since: injury}
"""

# Imported by every Python that starts with it on its path: whatever opens a connection fails.
CLOSED_NETWORK = """
import pathlib
import socket

pathlib.Path(__file__).with_name("loaded").touch()

def refuse(self, address, *rest):
    raise OSError(f"the network is closed ({address})")

for family in ("connect", "connect_ex"):
    setattr(socket.socket, family, refuse)
"""


@dataclass(frozen=True)
class Workplace:
    """A clone with a study in it, and its first run."""

    folder: Path
    run: Run

    def again(self, *arguments: str, cores: int = 2) -> Run:
        """Run the study again."""
        return snakemake(self.folder, *arguments, "--config", "study=data/study.yaml", cores=cores)

    def edit(self, file: str, *, old: str, new: str) -> None:
        """Replace a text in a file of the clone."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")


def simulated_data(root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts (genes x samples) and sheet of a small mouse series with planted programmes."""
    from exoliver.genesets import find_collection, read_gene_sets
    from exoliver.identifiers import read_annotation
    from exoliver.simulation import simulate_dataset

    effects = {
        "nfkb_tnf_inflammation": {"injury": [1.5, 1.0], "restored": {"bm_msc": [0.1, 0.9]}},
        "pro_apoptotic": {"injury": [1.0, 1.0], "restored": {"bm_msc": [0.5, 0.5]}},
    }
    spec = {"seed": 3, "identifiers": "ensembl", "genes": 2300, "replicates": 3, "times": [1.0, 7.0]}
    spec |= {"library_size": {"mean": 2e6, "spread": 0.2}, "effects": effects, "response_genes": 40}
    roles = {"healthy": "healthy", "ccl4": "injured", "bm_msc": "treated"}
    dataset = simulate_dataset(
        spec,
        arms=[{"name": name, "role": role, "value": name} for name, role in roles.items()],
        genes=read_annotation("mouse"),
        gene_sets=read_gene_sets(find_collection("programmes", "mouse").path),
    )
    return dataset.counts, dataset.samples


def write_study(folder: Path, counts: pd.DataFrame, samples: pd.DataFrame) -> None:
    """The study's files, as a user would have them."""
    data = folder / "data"
    data.mkdir()
    (data / "study.yaml").write_text(STUDY, encoding="utf-8")
    (data / "small.yaml").write_text(DATASET, encoding="utf-8")
    samples.to_csv(data / "samples.tsv", sep="\t", index=False)
    with gzip.open(data / "counts.tsv.gz", "wt", encoding="utf-8") as stream:
        counts.to_csv(stream, sep="\t", index_label="gene_id")


def workplace(folder: Path, root: Path, *, shuffled: bool, cores: int) -> Workplace:
    """A clone with the small study, run on some cores with the network closed."""
    clone(root, folder)
    counts, samples = simulated_data(root)
    if shuffled:
        rng = np.random.default_rng(5)
        counts = counts.iloc[rng.permutation(len(counts)), rng.permutation(counts.shape[1])]
        samples = samples.iloc[rng.permutation(len(samples))]
    write_study(folder, counts, samples)
    closed = folder / "closed_network"
    closed.mkdir()
    (closed / "sitecustomize.py").write_text(CLOSED_NETWORK, encoding="utf-8")
    run = snakemake(folder, "--config", "study=data/study.yaml", cores=cores, env={"PYTHONPATH": str(closed)})
    return Workplace(folder, run)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Workplace:
    """The small study on one core."""
    return workplace(tmp_path_factory.mktemp("small") / "clone", root, shuffled=False, cores=1)


@pytest.fixture(scope="session")
def small_shuffled(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Workplace:
    """The small study on two cores, rows and columns of its input shuffled."""
    return workplace(tmp_path_factory.mktemp("shuffled") / "clone", root, shuffled=True, cores=2)
