"""What made the results: methods text, software versions, digests of the inputs, and a crate that names them all.

Knows no clock, host or absolute path, so that a second run writes the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

import pandas as pd

from exoliver import __version__
from exoliver.figures.words import joined
from exoliver.mixture import MIXED_SYSTEMS
from exoliver.redundancy import SHARED
from exoliver.report.naming import dataset_titles, has_injury
from exoliver.report.render import render_text
from exoliver.tables import INPUTS, SOFTWARE

NAMED = ("snakemake", "pydeseq2", "scanpy", "anndata", "gseapy", "numpy", "scipy", "pandas", "statsmodels")
ORGANISMS = ("human", "mouse", "rat")
LONGEST_LICENCE = 60  # characters; some packages put the whole text of their licence where its name belongs
IDENTIFIERS = {
    "ensembl": "Ensembl identifiers",
    "entrez": "Entrez identifiers",
    "symbol": "symbols",
    "other": "identifiers that are not looked up",
}
REFERENCES = {  # by the name that the template cites them with
    "deseq2": "Love MI, Huber W, Anders S (2014). Genome Biol 15:550. doi:10.1186/s13059-014-0550-8",
    "deseq": "Anders S, Huber W (2010). Genome Biol 11:R106. doi:10.1186/gb-2010-11-10-r106",
    "pydeseq2": "Muzellec B, Teleńczuk M, Cabeli V, et al. (2023). Bioinformatics 39:btad547. "
    "doi:10.1093/bioinformatics/btad547",
    "adjustment": "Benjamini Y, Hochberg Y (1995). J R Stat Soc B 57:289. doi:10.1111/j.2517-6161.1995.tb02031.x",
    "filtering": "Bourgon R, Gentleman R, Huber W (2010). PNAS 107:9546. doi:10.1073/pnas.0914005107",
    "shrinkage": "Zhu A, Ibrahim JG, Love MI (2019). Bioinformatics 35:2084. doi:10.1093/bioinformatics/bty895",
    "scanpy": "Wolf FA, Angerer P, Theis FJ (2018). Genome Biol 19:15. doi:10.1186/s13059-017-1382-0",
    "anndata": "Virshup I, Rybakov S, Theis FJ, Angerer P, Wolf FA (2024). J Open Source Softw 9:4371. "
    "doi:10.21105/joss.04371",
    "moderation": "Smyth GK (2004). Stat Appl Genet Mol Biol 3:3. doi:10.2202/1544-6115.1027",
    "camera": "Wu D, Smyth GK (2012). Nucleic Acids Res 40:e133. doi:10.1093/nar/gks461",
    "reml": "Patterson HD, Thompson R (1971). Biometrika 58:545. doi:10.1093/biomet/58.3.545",
    "satterthwaite": "Satterthwaite FE (1946). Biometrics Bull 2:110. doi:10.2307/3002019",
    "fieller": "Fieller EC (1954). J R Stat Soc B 16:175. doi:10.1111/j.2517-6161.1954.tb00159.x",
    "equivalence": "Schuirmann DJ (1987). J Pharmacokinet Biopharm 15:657. doi:10.1007/BF01068419",
    "gsea": "Subramanian A, Tamayo P, Mootha VK, et al. (2005). PNAS 102:15545. doi:10.1073/pnas.0506580102",
    "multilevel": "Korotkevich G, Sukhov V, Budin N, et al. (2021). bioRxiv 060012. doi:10.1101/060012",
    "gseapy": "Fang Z, Liu X, Peltz G (2023). Bioinformatics 39:btac757. doi:10.1093/bioinformatics/btac757",
    "clusters": "Merico D, Isserlin R, Stueker O, et al. (2010). PLoS ONE 5:e13984. doi:10.1371/journal.pone.0013984",
    "snakemake": "Mölder F, Jablonski KP, Letcher B, et al. (2021). F1000Research 10:33. "
    "doi:10.12688/f1000research.29032.2",
}
LEAST_GROUP, LEAST_REPLACED = 3, 7  # samples alike in all terms: for a search for outliers, and to replace their counts

CRATE_VERSION = "https://w3id.org/ro/crate/1.1"
# RO-Crate 1.1 has no term for a checksum; that of the Workflow Run Crate profiles is the one others use.
CRATE_CONTEXT = [f"{CRATE_VERSION}/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]
FORMATS = {
    ".html": "text/html", ".md": "text/markdown", ".tsv": "text/tab-separated-values", ".yaml": "application/yaml",
}  # fmt: skip


def methods_text(facts: Mapping[str, Any], *, settings: Mapping[str, Any], design: Mapping[str, Any]) -> str:
    """Methods, limits and references of one dataset in Markdown, ready to paste.

    Parameters
    ----------
    facts
        Plain values of the dataset's YAML, as `Wiring.facts` gives them.
    settings
        The study's `fdr`, `log2_fold_change_threshold`, `set_size`, `equivalence_margin` and `seed`.
    design
        Content of the dataset's `model/design.json`.
    """
    values = {**_data_values(facts, design), **_model_values(facts, design), **_limit_values(facts)}
    threshold = settings["log2_fold_change_threshold"]
    cited: dict[str, int] = {}
    return render_text(
        "methods.md.j2",
        **values,
        has_gene_sets=facts["organism"] in ORGANISMS,
        versions=_versions(),
        threshold=f"{threshold:g}" if threshold else "",
        fdr=f"{settings['fdr']:g}",
        set_min=settings["set_size"]["min"],
        set_max=settings["set_size"]["max"],
        margin=f"{settings['equivalence_margin']:g}",
        shared_edge=f"{SHARED:g}",
        seed=settings["seed"],
        cite=partial(_cite, cited),
        cited=cited,
        references=REFERENCES,
    )


def _cite(cited: dict[str, int], *names: str) -> str:
    """Numbers of references in brackets; one that was not cited before takes the next number."""
    return f"[{', '.join(str(cited.setdefault(name, len(cited) + 1)) for name in names)}]"


def study_methods(
    datasets: Mapping[str, Mapping[str, Any]],
    designs: Sequence[Mapping[str, Any]],
    *,
    settings: Mapping[str, Any],
) -> str:
    """Methods of every dataset, one after the other, under the study's title.

    Parameters
    ----------
    datasets
        Plain values of each dataset's YAML, by id.
    designs
        Content of their `model/design.json`, in the same order.
    settings
        As `methods_text` takes them, and the study's `title`.
    """
    titles = dataset_titles(datasets)
    pairs = zip(datasets.items(), designs, strict=True)
    parts = [
        methods_text({**facts, "title": titles[name]}, settings=settings, design=design)
        for (name, facts), design in pairs
    ]
    return "\n".join([f"## {settings['title']}\n", *parts])


def _data_values(facts: Mapping[str, Any], design: Mapping[str, Any]) -> dict[str, Any]:
    """Samples and their groups."""
    counts = facts["counts"] or {"values": "counts", **(facts["simulation"] or {})}
    unit = facts["time"]["unit"] if facts["time"] else ""
    groups = zip(design["cells"], design["replicates"], strict=True)
    return {
        "title": facts["title"] or facts["id"],
        "is_simulated": facts["simulation"] is not None,
        "samples": sum(design["replicates"]),
        "organism": facts["organism"],
        "system": _system(facts["system"]),
        "accession": facts["accession"] or "",
        "unit": facts["samples"].get("unit") if facts["samples"] else "animal",
        "cells": [f"{_cell(cell, facts, unit)} (n = {samples})" for cell, samples in groups],
        "identifiers": IDENTIFIERS[counts["identifiers"]],
        "is_looked_up": counts["identifiers"] != "other" and facts["organism"] in ORGANISMS,
        "is_estimated": counts["values"] == "estimated_counts",
    }


def _model_values(facts: Mapping[str, Any], design: Mapping[str, Any]) -> dict[str, Any]:
    """The design and the genes that took part."""
    keep, replaced, group = facts["gene_filter"], design["replaced_counts"], design["largest_group"]
    donor = ["donor"] if facts["donor"] and any(name.startswith("donor=") for name in design["columns"]) else []
    terms = [*donor, *facts["covariates"], *facts["numeric_covariates"]]
    if design["dispersion_trend"] == "parametric":
        dispersion = "Dispersions were shrunken towards a parametric trend on the mean."
    else:
        dispersion = "No trend of dispersion on the mean could be fitted; dispersions were shrunken towards their mean."
    return {
        "min_count": keep["min_count"],
        "min_samples": min(design["replicates"]) if keep["min_samples"] is None else keep["min_samples"],
        "genes_fitted": f"{design['genes_fitted']:,}",
        "genes_filtered": f"{design['genes_filtered']:,}",
        "terms": joined(terms),
        "alike": joined(["arm", *(["time"] if facts["time"] else []), *terms]),
        "seeks_outliers": group >= LEAST_GROUP,
        "replaces_outliers": group >= LEAST_REPLACED,
        "columns": len(design["columns"]),
        "residual_df": design["residual_df"],
        "dispersion": dispersion,
        "replaced": f"{replaced:,} {'count' if replaced == 1 else 'counts'}" if replaced else "none was",
        "nested_donor": design["nested_donor"],
        "has_times": len({time for _, time in design["cells"] if time is not None}) > 1,
    }


def _limit_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts that call for a limit of their own."""
    arms = list(facts["arms"]["levels"].values())
    species = sorted({arm["species"] for arm in arms if arm["species"]} - {facts["organism"]})
    lots = sorted({arm["lot"] for arm in arms if arm["lot"] and arm["lot_donors"] == 1})
    return {
        "is_mixture": facts["system"]["kind"] in MIXED_SYSTEMS,
        "has_injury": has_injury(facts),
        "has_all_times": any(arm["at"] for arm in arms),
        "death": (facts["injury"] or {}).get("death"),
        "foreign": ", ".join(species),
        "single_lot": "lot " + ", ".join(lots) if lots else "",
    }


def _system(system: Mapping[str, Any]) -> str:
    """What the samples are of, in words."""
    return " ".join(filter(None, [system["line"], system["cell_type"], system["kind"].replace("_", " ")]))


def _cell(cell: Sequence[Any], facts: Mapping[str, Any], unit: str) -> str:
    """An arm at a time, in words."""
    arm, time = cell
    name = facts["arms"]["levels"][arm]["label"] or arm
    if time is None:
        return f"{name}, all times" if unit else name
    plural = "s" if unit in ("day", "week", "month") and time != 1 else ""
    return f"{name} at {time:g} {unit}{plural}"


def _versions() -> dict[str, str]:
    """Versions that the methods name."""
    own = {"exoliver": __version__, "python": platform.python_version()}
    return own | {name: metadata.version(name) for name in NAMED}


def software_versions() -> pd.DataFrame:
    """Every package of the environment with its version and licence, sorted by name; exoliver and Python among them."""
    rows: dict[str, tuple[str, str, str | None]] = {"exoliver": ("exoliver", __version__, "MIT")}
    rows["python"] = ("python", platform.python_version(), "PSF-2.0")
    for package in metadata.distributions():
        name = re.sub(r"[-_.]+", "-", package.metadata["Name"]).lower()
        rows.setdefault(name, (name, package.version, licence_of(package.metadata)))
    return pd.DataFrame([rows[name] for name in sorted(rows)], columns=list(SOFTWARE))


def licence_of(package: Any) -> str | None:
    """The licence that a package states, as short as it states it; None where there is none.

    Parameters
    ----------
    package
        Its core metadata (`importlib.metadata`).
    """
    expression = package.get("License-Expression")
    text = (package.get("License") or "").strip()
    classifiers = [entry.rpartition(" :: ")[2] for entry in package.get_all("Classifier") or [] if _is_licence(entry)]
    first_line = text.partition("\n")[0].strip()
    if expression:
        return str(expression)
    if "\n" not in text and 0 < len(text) <= LONGEST_LICENCE:
        return text
    if classifiers:
        return " OR ".join(sorted(classifiers))
    is_name = 0 < len(first_line) <= LONGEST_LICENCE and "licen" in first_line.lower()
    return first_line if is_name else None


def _is_licence(classifier: str) -> bool:
    """The classifier names a licence, and not only its family."""
    return classifier.startswith("License :: ") and classifier != "License :: OSI Approved"


def file_digests(files: Iterable[str]) -> pd.DataFrame:
    """SHA-256 of files, sorted by path; of an absolute path (the index says so) the name alone is shown."""
    rows = {
        (_shown(file), hashlib.sha256(Path(file).read_bytes()).hexdigest(), Path(file).is_absolute()) for file in files
    }
    return pd.DataFrame(sorted(rows), columns=[*INPUTS, "is_absolute"]).set_index("is_absolute")


def _shown(file: str) -> str:
    """A path that holds nothing of the machine."""
    path = PurePath(file)
    return path.name if path.is_absolute() else path.as_posix()


def describe_crate(
    settings: Mapping[str, Any], *, software: pd.DataFrame, inputs: pd.DataFrame, outputs: pd.DataFrame, path: str
) -> dict[str, Any]:
    """The study as an RO-Crate 1.1: its inputs, its reports and the software between them.

    Parameters
    ----------
    settings
        The study's `title` and `date`; without a date the crate has no `datePublished`, since no clock is read.
    software
        Of `software_versions`.
    inputs, outputs
        Of `file_digests`.
    path
        Where the crate's JSON will stand; files are named relative to it.

    References
    ----------
    Sefton et al., RO-Crate Metadata Specification 1.1, 10.5281/zenodo.4031327.
    """
    folder = PurePath(path).parent.as_posix()
    given, made = _file_entities(inputs, folder), _file_entities(outputs, folder)
    programs = [_program_entity(row.package, row.version) for row in software.itertuples() if row.package in NAMED]
    own = _program_entity("exoliver", __version__) | {"softwareRequirements": _references(programs)}
    descriptor = {
        "@id": PurePath(path).name,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": CRATE_VERSION},
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "Run of exoliver",
        "instrument": {"@id": own["@id"]},
        "object": _references(given),
        "result": _references(made),
    }
    licence = {"@id": "#licence", "@type": "CreativeWork", "name": "not stated by the study"}
    root = _root_entity(settings, [*given, *made])
    return {"@context": CRATE_CONTEXT, "@graph": [descriptor, root, *given, *made, own, *programs, run, licence]}


def _root_entity(settings: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The study as a data set."""
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": settings["title"],
        "description": "Results of exoliver: reports, methods, and the digests of what they were made from.",
        "license": {"@id": "#licence"},
        "hasPart": _references(files),
        "mentions": [{"@id": "#run"}],
    }
    return root | ({"datePublished": settings["date"]} if settings["date"] else {})


def _file_entities(digests: pd.DataFrame, folder: str) -> list[dict[str, Any]]:
    """Files of the crate; one of which the name alone is shown goes by its digest."""
    entities = []
    for is_absolute, (file, sha256) in zip(digests.index, digests[list(INPUTS)].to_numpy(), strict=True):
        place = quote(PurePath(os.path.relpath(file, folder)).as_posix())
        entity = {"@id": f"#{sha256}-{quote(file)}" if is_absolute else place, "@type": "File"}
        known = FORMATS.get(PurePath(file).suffix)
        entities.append(entity | {"name": file, "sha256": sha256} | ({"encodingFormat": known} if known else {}))
    return entities


def _program_entity(name: str, version: str) -> dict[str, Any]:
    """A program."""
    return {"@id": f"#{name}", "@type": "SoftwareApplication", "name": name, "version": version}


def _references(entities: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """References to entities, each once."""
    return [{"@id": identity} for identity in dict.fromkeys(str(entity["@id"]) for entity in entities)]
