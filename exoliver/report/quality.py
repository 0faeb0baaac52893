"""Can I trust it? The design, the warnings, what was lost on the way, and the pictures of quality."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import pdist, squareform

from exoliver.figures.design_grid import design_grid
from exoliver.figures.dispersions import dispersions
from exoliver.figures.library_sizes import library_sizes
from exoliver.figures.pca import pca
from exoliver.figures.pvalue_histogram import SOUND, histogram_words, pvalue_histogram
from exoliver.figures.sample_distances import sample_distances
from exoliver.figures.words import beyond, capital, count, joined, number, plural
from exoliver.report.elements import (
    Bullets,
    Heading,
    Notices,
    Picture,
    Prose,
    Row,
    Section,
    Table,
    counts,
    picture,
    texts,
)
from exoliver.report.material import Material
from exoliver.report.naming import contrast_words, estimable, main_contrasts, unit_words
from exoliver.report.sample_checks import (
    Outliers,
    association_blocks,
    look_for_outliers,
    names_of,
    outlier_blocks,
    size_factor_words,
)
from exoliver.report.summary import REASONS, summarise_contrasts

MOST_DECISIONS = 6  # more are folded away
THRESHOLDED = (
    "Genes that change by less than the threshold pile up near 1, as they should: the shape says little of the model."
)
LEAST_GROUP = 3  # samples that are alike in all terms, below which Cook's distance says nothing of outliers


def quality_section(material: Material) -> Section:
    """Design, warnings, losses and pictures."""
    samples = sample_table(material)
    distances = distance_table(material, samples)
    outliers = look_for_outliers(material, distances)
    warnings = material.warnings
    ratio = number(samples["counts"].max() / samples["counts"].min())
    apart = plural(len(names_of(outliers)), "sample stands", words="samples stand")
    finding = (
        f"{capital(_warned(len(warnings)))}; {plural(len(samples), 'sample')} leave "
        f"{plural(material.design['residual_df'], 'residual degree')} of freedom, library sizes differ {ratio}-fold, "
        f"{apart} apart, and {_shapes(material)}."
    )
    pictures = _pictures(material, samples, distances, outliers)
    return Section(
        "trust",
        "Can I trust it?",
        finding,
        f"{capital(_warned(len(warnings)))}, {plural(len(samples), 'sample')}",
        (*_design(material), *_notices(material), *_losses(material), *pictures),
    )


def _shapes(material: Material) -> str:
    """In how many main contrasts the p-values have the shape they should have."""
    if material.threshold:
        return f"p-values are for a change by more than {beyond(material.threshold)}, so that their shape says little"
    main = estimable(main_contrasts(material.contrasts))
    sound = sum(histogram_words(material.tables[contrast.id]) in SOUND for contrast in main)
    return f"p-values have the shape they should have in {count(sound)} of {plural(len(main), 'main contrast')}"


def _warned(warnings: int) -> str:
    """How many warnings there are."""
    return f"checks and fit gave {plural(warnings, 'warning')}" if warnings else "checks and fit gave no warning"


def sample_table(material: Material) -> pd.DataFrame:
    """Samples in the order of arms and times: sample, arm, time, size_factor, counts, pc1, pc2."""
    own, components = material.expression.samples, material.expression.components
    order = {arm: position for position, arm in enumerate(material.look.labels)}
    second = components[:, 1] if components.shape[1] > 1 else np.zeros(len(own))
    table = pd.DataFrame(
        {
            "sample": own.index.astype(str),
            "arm": own["arm"].astype(str).to_numpy(),
            "time": own["time"].astype(float).to_numpy() if "time" in own else np.nan,
            "size_factor": own["size_factor"].to_numpy(),
            "counts": [material.check["design"]["library_sizes"][name] for name in own.index],
            "pc1": components[:, 0],
            "pc2": second,
        }
    )
    table = table.assign(order=table["arm"].map(order)).sort_values(["order", "time", "sample"], kind="stable")
    return table.drop(columns="order").reset_index(drop=True)


def _design(material: Material) -> list[Any]:
    """The grid of samples."""
    cells = pd.DataFrame(material.check["design"]["cells"])[["arm", "time", "samples"]]
    cells["time"] = cells["time"].astype(float)
    terms = material.design["columns"][len(material.design["cells"]) :]
    beside = f", and terms for {joined(terms)}" if terms else ""
    caption = (
        f"Samples by arm{' and time' if material.facts['time'] else ''} (replicate: {unit_words(material.facts)}). The "
        f"model has one mean for each of {plural(len(cells), 'group')}{beside}."
    )
    return [Heading("Design"), picture(design_grid(cells, material.look), caption)]


def _notices(material: Material) -> list[Any]:
    """Warnings in full, and what was decided."""
    blocks: list[Any] = [Heading("Warnings and decisions")]
    warnings = tuple((item["where"], item["what"], item["fix"]) for item in material.warnings)
    blocks.append(Notices(warnings) if warnings else Prose(("There is nothing to warn of.",)))
    decisions = tuple(material.check["decisions"])
    return [
        *blocks,
        *(
            [Prose(("Decided on the way:",)), Bullets(decisions, is_folded=len(decisions) > MOST_DECISIONS)]
            if decisions
            else []
        ),
    ]


def _losses(material: Material) -> list[Any]:
    """Genes from the input to the tests, step by step."""
    ledger, design = material.identifiers, material.design
    rows = ledger[ledger["kind"] == "gene"]
    aside = ledger.loc[ledger["kind"] != "gene", "kind"].value_counts().sort_index()
    steps = [("Rows of the count file", len(ledger), "")]
    why = []
    if len(aside):
        kinds = joined(f"{count(amount)} {kind.replace('_', ' ')}" for kind, amount in aside.items())
        why.append(f"set aside: {kinds}")
    if rows["gene_id"].duplicated().any():
        why.append(f"summed into another row of the same gene: {count(rows['gene_id'].duplicated().sum())}")
    if why:
        steps.append(("Genes", rows["gene_id"].nunique(), "; ".join(why)))
    fitted = f"{count(design['genes_filtered'])} have too few counts for the gene filter"
    steps.append(("Genes that took part in the fit", design["genes_fitted"], fitted))
    summary = summarise_contrasts(
        main := estimable(main_contrasts(material.contrasts)), material.tables, fdr=material.fdr
    )
    for contrast in main:
        row = summary.loc[contrast.id]
        why = [f"{count(row[name])} {name.replace('_', ' ')}" for name in REASONS[:3] if row[name]]
        steps.append((f"Tested in {contrast_words(contrast, material.look)}", row["tested"], _without(why)))
    columns = (
        texts("Step", [step for step, _, _ in steps]),
        counts("Left", [left for _, left, _ in steps]),
        texts("Remarks", [why for _, _, why in steps]),
    )
    outliers = "A gene with a count outlier (Cook’s distance) has no p-value"
    if design["largest_group"] < LEAST_GROUP:
        outliers = "Count outliers were not looked for, as no three samples are alike in all terms of the model"
    caption = (
        f"Genes from the file to the tests. {outliers}; the p-value of a gene with few counts takes no part in "
        "the adjustment. Every gene is a row, with its note, in the tables of the contrasts."
    )
    return [Heading("What was lost on the way"), Table(caption, columns)]


def _without(reasons: Sequence[str]) -> str:
    """Why genes have no number."""
    return joined(reasons)


def distance_table(material: Material, samples: pd.DataFrame) -> pd.DataFrame:
    """Distance between every two samples over all fitted genes, variance-stabilised; in the order of the samples."""
    names = samples["sample"].tolist()
    stabilised = material.expression.vst.loc[names, material.model.takes_part]
    return pd.DataFrame(squareform(pdist(stabilised.to_numpy())), index=names, columns=names)


def _pictures(
    material: Material, samples: pd.DataFrame, distances: pd.DataFrame, outliers: Sequence[Outliers]
) -> list[Any]:
    """Library sizes, components, distances, dispersions and p-values."""
    look, model = material.look, material.model
    shares = [*material.expression.variance_ratio, 0.0]
    genes = pd.DataFrame(
        {
            "base_mean": model.base_mean,
            "dispersion_gene": model.dispersions_gene,
            "dispersion_trend": model.dispersions_trend,
            "dispersion": model.dispersions,
        }
    )[model.takes_part]
    arms = samples.set_index("sample")["arm"]
    return [
        Heading("Samples"),
        picture(
            library_sizes(samples, look),
            "Counts of each sample, and the factor that makes samples comparable. One that stands apart from its arm "
            f"deserves a look. {size_factor_words(samples)}".strip(),
        ),
        Row(
            (
                picture(
                    pca(samples, look, shares=shares),
                    "The two largest differences between samples, from the most variable genes; they hold "
                    f"{_percent(shares)} of the variance of these. Samples of one arm and time should lie together.",
                ),
                picture(
                    sample_distances(distances, look, arms=arms),
                    "Distance between every two samples over all fitted genes (variance-stabilised, log2 scale), in "
                    "the order of arms and times; a dark row is a sample unlike the others.",
                ),
            )
        ),
        *association_blocks(material),
        Heading("Samples that stand apart"),
        *outlier_blocks(material, outliers),
        Heading("Model"),
        picture(
            dispersions(genes, look),
            "Spread of each gene between samples of one group, before and after it is shrunken towards the trend. The "
            "cloud should follow the line; points above it that stay grey are kept as they are.",
        ),
        *_histograms(material),
    ]


def _percent(shares: Sequence[float]) -> str:
    """Share of the first two components."""
    return f"{number(100 * (shares[0] + shares[1]))} %"


def _histograms(material: Material) -> list[Any]:
    """p-values of the main contrasts."""
    pictures: list[Picture] = []
    for contrast in estimable(main_contrasts(material.contrasts)):
        table = material.tables[contrast.id]
        words = THRESHOLDED if material.threshold else histogram_words(table)
        title = contrast_words(contrast, material.look)
        figure = pvalue_histogram(table, material.look, contrast=contrast.id, title=title, words=words)
        pictures.append(picture(figure, words))
    intro = Prose(
        ("p-values of each main contrast; the dashed line is the height that genes without a change would make.",)
    )
    return [intro, Row(tuple(pictures), is_small=True)] if pictures else []
