"""Names for rules, input functions and params: which datasets and collections there are, and the slice each rule needs.

Holds no path; the rules know where. Imports nothing heavy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from exoliver.collections import (
    annotation_files,
    collection_files,
    collection_id,
    facts_files,
    shipped_collections,
)
from exoliver.loading import Entry, Study
from exoliver.study import CountsFile, Dataset, SampleSheet, base_or_none, plain


def study_file(config: Mapping[str, Any], configfiles: Sequence[Any], *, default: str) -> str:
    """Path of the study: `--config study=`, else the last `--configfile`, else the default study."""
    if "study" in config:
        return str(config["study"])
    return str(configfiles[-1]) if configfiles else default


LARGE_COLLECTION = 250_000  # bytes of its file: Reactome and Gene Ontology, not Hallmark or the programmes


# Shipped collections that effects on programmes need beside those of the study: the one whose variances moderate
# theirs, and the one with the cell types.
HALLMARK, PROGRAMMES = COMPANIONS = ("hallmark", "programmes")


METHODS_KEYS = ("title", "fdr", "log2_fold_change_threshold", "set_size", "equivalence_margin", "seed")


class Wiring:
    """What rules ask of a study. Methods that take wildcards are used as input functions and params."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.settings = study.settings
        self.results = study.settings.results
        self._entries = {entry.id: entry for entry in study.entries}
        self.datasets = list(self._entries)
        self.collections = self._all_collections()
        self.followed = next(iter(self.collections))
        self.scored = [self.followed, HALLMARK, PROGRAMMES]
        self.markers = [PROGRAMMES]
        self.mapped = self.collections | {name: name for name in COMPANIONS if name not in self.collections}

    def _all_collections(self) -> dict[str, str]:
        """Collection as the study names it, by its name in paths; the followed programmes first."""
        named = [self.settings.programmes, *self.settings.collections]
        return {collection_id(name): name for name in named}

    def _entry(self, wildcards: Any) -> Entry:
        """The dataset that the wildcards name."""
        return self._entries[wildcards.dataset]

    def _dataset(self, wildcards: Any) -> Dataset | None:
        """Its content, None where the YAML is faulty."""
        return self._entry(wildcards).dataset

    # --- the study -------------------------------------------------------------------------------------------------

    def study_problems(self, _: Any = None) -> list[dict[str, str]]:
        """Problems of the study's own YAML."""
        return [problem.as_dict() for problem in self.study.problems]

    def settings_of(self, *keys: str) -> dict[str, Any]:
        """Some keys of the study."""
        content = plain(self.settings)
        return {key: content[key] for key in keys}

    def page_settings(self, _: Any = None) -> dict[str, Any]:
        """Keys of the study that the pages of datasets need."""
        return self.settings_of(*METHODS_KEYS, "panel", "genes_of_interest")

    def provenance_settings(self, _: Any = None) -> dict[str, Any]:
        """Keys of the study that its methods and its crate need."""
        return self.settings_of(*METHODS_KEYS, "date", "collections")

    def overview(self, _: Any = None) -> dict[str, Any]:
        """What the overview says of every dataset."""
        return {entry.id: plain(entry.dataset) for entry in self.study.entries if entry.dataset is not None}

    def inputs(self, _: Any = None) -> list[str]:
        """Every file of the user's that the study reads, YAML included."""
        files = [self.study.file]
        for entry in self.study.entries:
            own = [self._own_files(entry)] if entry.dataset is not None else []
            files += [entry.file, *(path for paths in own for path in paths.values())]
        files += self.study.own_collections
        return sorted({path for path in files if Path(path).is_file()})

    # --- one dataset -----------------------------------------------------------------------------------------------

    def problems(self, wildcards: Any) -> list[dict[str, str]]:
        """Problems of the dataset's YAML."""
        return [problem.as_dict() for problem in self._entry(wildcards).problems]

    @staticmethod
    def _own_files(entry: Entry) -> dict[str, str]:
        """Counts and samples as the YAML names them; none for a simulated dataset."""
        dataset = entry.dataset
        if dataset is None or dataset.counts is None or dataset.samples is None:
            return {}
        return {"counts": dataset.counts.file, "samples": dataset.samples.file}

    def _made(self, simulated: Any, wildcards: Any) -> dict[str, str]:
        """Counts and samples as the simulation's rule names its output."""
        made = {"counts": simulated.counts, "samples": simulated.samples}
        return {name: str(path).format(dataset=wildcards.dataset) for name, path in made.items()}

    def sources(self, simulated: Any) -> Callable[[Any], dict[str, str]]:
        """Params function: where counts and samples are, whether the files exist or not."""

        def paths(wildcards: Any) -> dict[str, str]:
            return self._own_files(self._entry(wildcards)) or self._made(simulated, wildcards)

        return paths

    def files(self, simulated: Any) -> Callable[[Any], list[str]]:
        """Input function: the files of counts and samples that exist, or those that a simulation makes."""

        def paths(wildcards: Any) -> list[str]:
            entry = self._entry(wildcards)
            if entry.dataset is not None and entry.dataset.simulation is not None:
                return list(self._made(simulated, wildcards).values())
            return [path for path in self._own_files(entry).values() if Path(path).is_file()]

        return paths

    def intake(self, wildcards: Any) -> dict[str, Any] | None:
        """What decides which counts are read and how they are arranged."""
        dataset = self._dataset(wildcards)
        if dataset is None:
            return None
        simulated = dataset.simulation
        counts = dataset.counts or CountsFile(
            file="simulated", identifiers=simulated.identifiers if simulated else "other"
        )
        return plain(dataset.intake(counts, dataset.samples or SampleSheet(file="simulated")))

    def arms(self, wildcards: Any) -> dict[str, Any] | None:
        """Roles and bases, from which contrasts are derived."""
        return self._arms(wildcards, {"role", "against"})

    def checked_arms(self, wildcards: Any) -> dict[str, Any] | None:
        """The same, and the facts that the checks look at."""
        return self._arms(wildcards, {"role", "against", "procedure", "vehicle"})

    def _arms(self, wildcards: Any, keys: set[str]) -> dict[str, Any] | None:
        """Some keys of every arm, with the base that it is compared with."""
        dataset = self._dataset(wildcards)
        if dataset is None:
            return None
        levels = dataset.arms.levels
        return {
            name: arm.model_dump(mode="json", include=keys) | {"against": base_or_none(name, levels) or arm.against}
            for name, arm in levels.items()
        }

    def contrasts(self, wildcards: Any) -> dict[str, Any] | None:
        """The user's own contrasts."""
        dataset = self._dataset(wildcards)
        return None if dataset is None else plain(dataset)["contrasts"]

    def gene_filter(self, wildcards: Any) -> dict[str, Any] | None:
        """Genes that take part in the fit."""
        dataset = self._dataset(wildcards)
        return None if dataset is None else plain(dataset.gene_filter)

    def unit(self, wildcards: Any) -> str | None:
        """Unit of the times."""
        dataset = self._dataset(wildcards)
        return None if dataset is None or dataset.time is None else dataset.time.unit

    def organism(self, wildcards: Any) -> str | None:
        """Organism of the dataset."""
        dataset = self._dataset(wildcards)
        return None if dataset is None else dataset.organism

    def system(self, wildcards: Any) -> str | None:
        """What the samples are of: tissue, a cell line, ..."""
        dataset = self._dataset(wildcards)
        return None if dataset is None else dataset.system.kind

    def own_collections(self, _: Any = None) -> dict[str, str]:
        """Files of gene sets that the user names, with the column of the genes that they name."""
        return self.study.own_collections

    def genes_of_interest(self, _: Any = None) -> list[str]:
        """Names of genes that the study follows one by one."""
        return list(self.settings.genes_of_interest)

    def own_collection_files(self, _: Any = None) -> list[str]:
        """Input function: files of gene sets that the user names."""
        return list(self.study.own_collections)

    def own_genes(self, wildcards: Any) -> str:
        """The column of the genes that a user's own collection names; of no meaning for a shipped one."""
        return self.study.own_collections.get(self.collection(wildcards), "symbol")

    def simulated_from(self, wildcards: Any) -> list[str]:
        """Input function: the annotation and programmes that a simulation takes its genes from."""
        organism = self.organism(wildcards) or ""
        return [*annotation_files(organism), *collection_files(self.settings.programmes, organism)]

    def annotation(self, wildcards: Any) -> list[str]:
        """Input function: the shipped annotation and synonyms that the dataset's genes are looked up in."""
        organism = self.organism(wildcards) or ""
        return [*annotation_files(organism), *annotation_files(f"synonyms_{organism}")]

    def gene_set_files(self, wildcards: Any) -> list[str]:
        """Input function: the files of the collection."""
        collection = self.collection(wildcards)
        return [*collection_files(collection, self.organism(wildcards) or ""), *facts_files(collection)]

    def enrichment_threads(self, wildcards: Any) -> int:
        """Threads that rank one collection: several for a large one; small ones are ranked side by side."""
        sizes = [Path(path).stat().st_size for path in self.gene_set_files(wildcards)]
        return 4 if max(sizes, default=0) > LARGE_COLLECTION else 1

    def collection_facts(self, _: Any = None) -> dict[str, Any]:
        """What is said of the shipped collections that the study uses."""
        return {name: facts for name, facts in shipped_collections().items() if name in self.mapped}

    def collection(self, wildcards: Any) -> str:
        """The collection as the study names it."""
        return self.mapped[wildcards.collection]

    def simulation(self, wildcards: Any) -> dict[str, Any] | None:
        """The simulation's keys, and the arms as it takes them."""
        dataset = self._dataset(wildcards)
        if dataset is None or dataset.simulation is None:
            return None
        arms = [{"name": name, "role": arm.role, "value": str(arm.value)} for name, arm in dataset.arms.levels.items()]
        return {"spec": plain(dataset.simulation), "arms": arms}

    def facts(self, wildcards: Any) -> dict[str, Any] | None:
        """Everything that the YAML says of the dataset, for its report."""
        dataset = self._dataset(wildcards)
        return None if dataset is None else plain(dataset)
