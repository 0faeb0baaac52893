"""Sections of quality, genes and enrichment: what stands in them, and what is said when there is little to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.enrichment import enrich, rank_contrast
from exoliver.figures.figure import Figure
from exoliver.figures.pvalue_histogram import SOUND
from exoliver.genesets import gene_sets_as_dict
from exoliver.overlap import Pattern
from exoliver.report.changes import MOST_OVERLAPS, changes_section, overlap_blocks, overlap_words
from exoliver.report.elements import Heading, Picture, Prose, Row, Section, Table
from exoliver.report.enrichment import enrichment_section, first_sets
from exoliver.report.gene_set_pictures import (
    CURVES,
    DOT_SETS,
    EDGE_GENES,
    OUTERMOST,
    dot_rows,
    edge_blocks,
    edge_effects,
    edge_members,
    running_scores,
)
from exoliver.report.material import Material
from exoliver.report.naming import estimable, main_contrasts
from exoliver.report.quality import distance_table, quality_section, sample_table
from exoliver.report.sample_checks import (
    association_blocks,
    association_words,
    look_for_outliers,
    names_of,
    outlier_blocks,
    sample_factors,
    shown_components,
    size_factor_words,
)
from tests.toy_report import REFERENCE_ARMS, SIMULATION, make_facts, make_material

CONTRAST = "msc_vs_ccl4"


@cache
def toy() -> Material:
    """The toy with three arms and two times."""
    return make_material()


def figures_of(blocks: Sequence[Any]) -> list[Figure]:
    """Every figure among blocks."""
    pictures = [block for block in blocks if isinstance(block, Picture)]
    pictures += [picture for block in blocks if isinstance(block, Row) for picture in block.pictures]
    return [picture.figure for picture in pictures]


def named(section: Section, start: str) -> list[Figure]:
    """Figures of a section whose names begin so."""
    return [figure for figure in figures_of(section.parts) if figure.name.startswith(start)]


def words_of(blocks: Sequence[Any]) -> str:
    """Paragraphs, captions and headings, one after the other."""
    parts: list[str] = []
    for block in blocks:
        parts += [*block.paragraphs] if isinstance(block, Prose) else []
        parts += [block.text] if isinstance(block, Heading) else []
        parts += [block.caption] if isinstance(block, Table | Picture) else []
        parts += [picture.caption for picture in block.pictures] if isinstance(block, Row) else []
    return "\n".join(parts)


def with_samples(**columns: Any) -> Material:
    """The toy with further columns of its sample sheet."""
    expression = toy().expression
    return replace(toy(), expression=replace(expression, samples=expression.samples.assign(**columns)))


class TestQuality:
    """Components, outliers, size factors and the shape of p-values."""

    def test_a_batch_that_moves_the_first_component_is_named(self) -> None:
        """A planted covariate is told, and stands in the picture."""
        batch = np.where(np.arange(18) % 2 == 0, "A", "B")
        material = with_samples(batch=batch)
        random = np.random.default_rng(3)
        components = random.normal(size=(18, 3)) + np.outer(np.where(batch == "A", 9.0, 0.0), [1, 0, 0])
        material = replace(
            material,
            facts=material.facts | {"covariates": ["batch"]},
            expression=replace(material.expression, components=components),
        )
        prose, shown = association_blocks(material)
        assert prose.paragraphs[0].startswith("The first component goes most with batch, which explains 9")
        assert "Beside arm and time, there is evidence that batch goes with component 1." in prose.paragraphs[0]
        assert set(shown.figure.data["factor"]) == {"Arm", "Time", "batch", "Library size (log2)"}

    def test_without_evidence_it_says_so(self) -> None:
        """Components of noise go with nothing, and no share is told as if they did."""
        table = pd.DataFrame({"component": [1, 1], "factor": ["Arm", "Time"], "share_adjusted": [0.1, 0.2]})
        told = association_words(table.assign(padj=[0.5, 0.4]))
        assert told.startswith("There is no evidence that anything that is known goes with the first component.")
        assert "%" not in told

    def test_factors_are_those_of_the_sheet(self) -> None:
        """Donor, series, covariates and numbers, the latter as straight lines."""
        material = with_samples(donor="d", batch="b", rin=7.0)
        material = replace(material, facts=material.facts | {"covariates": ["batch"], "numeric_covariates": ["rin"]})
        factors, numeric = sample_factors(material)
        assert list(factors) == ["arm", "time", "donor", "batch", "rin", "library size (log2)"]
        assert numeric == ("rin", "library size (log2)")

    @pytest.mark.parametrize(
        ("shares", "shown"),
        [([0.9, 0.05, 0.02], 2), ([0.4, 0.3, 0.2], 3), ([0.1] * 10, 6), ([1.0], 1), ([0.5, 0.3, 0.1], 2)],
    )
    def test_as_many_components_as_are_needed(self, shares: list[float], shown: int) -> None:
        """Those that hold four fifths of the variance; two at least, six at most."""
        assert shown_components(shares) == shown

    def test_a_sample_that_stands_apart_is_listed_with_its_limits(self) -> None:
        """A planted small library: by name, with value, median and limits, and in the finding."""
        names = list(toy().expression.samples.index)
        sizes = {name: 1_000_000 + 20_000 * place for place, name in enumerate(names)} | {names[4]: 10_000}
        material = replace(toy(), check=toy().check | {"design": toy().check["design"] | {"library_sizes": sizes}})
        samples = sample_table(material)
        found = look_for_outliers(material, distance_table(material, samples))
        assert found[0].table["sample"].tolist() == [names[4]]
        table = outlier_blocks(material, found)[0]
        cells = {column.title: column.cells for column in table.columns}
        place = cells["By"].index("Library size (counts)")
        assert cells["Sample"][place] == names[4]
        assert cells["Value"][place] == "10\u202f000"
        assert "No sample was left out for that" in table.caption
        apart = len(names_of(found))
        told = f"{apart} sample{'s' if apart > 1 else ''} stand{'' if apart > 1 else 's'} apart"
        assert told in quality_section(material).finding

    def test_too_few_samples_are_not_called_sound(self) -> None:
        """Where no limit can be had, that is said, and not that none stands apart."""
        facts = make_facts(REFERENCE_ARMS, days=())
        material = make_material(facts, days=())
        names = list(material.expression.samples.index)[:5]
        distances = pd.DataFrame(1 - np.eye(5), index=names, columns=names)
        blocks = outlier_blocks(material, look_for_outliers(material, distances))
        assert "Outliers were not looked for by library size (counts), genes detected or median distance" in words_of(
            blocks
        )
        assert "No sample stands apart" not in words_of(blocks)

    def test_size_factors_are_told_beside_library_sizes(self) -> None:
        """The sample whose factor is farthest from its library size, with the fold."""
        samples = pd.DataFrame({"sample": list("abc"), "counts": [1e6, 2e6, 4e6], "size_factor": [0.5, 1.0, 4.0]})
        assert "between ×1.0 and ×2.0 of their median (c is farthest)" in size_factor_words(samples)
        assert size_factor_words(samples.assign(counts=[0, 1, 2])) == ""

    def test_with_a_threshold_the_shape_of_p_values_is_not_judged(self) -> None:
        """Genes that change less pile up near 1: neither praised nor blamed."""
        material = replace(toy(), settings=toy().settings | {"log2_fold_change_threshold": 1.0})
        section = quality_section(material)
        assert "p-values are for a change by more than ×2 (log2 1), so that their shape says little" in section.finding
        assert not any(words in words_of(section.parts) for words in SOUND)
        assert "p-values have the shape they should have in" in quality_section(toy()).finding


class TestChanges:
    """MA plots and the overlap of contrasts."""

    def test_an_ma_plot_stands_beside_each_volcano(self) -> None:
        """A row of the two for each main contrast."""
        rows = [block for block in changes_section(toy()).parts if isinstance(block, Row)]
        pairs = [tuple(picture.figure.name.split("__")[0] for picture in row.pictures) for row in rows]
        main = estimable(main_contrasts(toy().contrasts))
        assert pairs[: len(main)] == [("volcano", "ma")] * len(main)

    def test_overlap_needs_two_contrasts_with_hits(self) -> None:
        """None is drawn for one, or for none."""
        main = estimable(main_contrasts(toy().contrasts))
        assert overlap_blocks(toy(), main[:1]) == []
        assert overlap_blocks(make_material(hits=0), main) == []
        assert len(figures_of(overlap_blocks(toy(), main))) == 1

    def test_many_contrasts_are_cut_and_that_is_said(self) -> None:
        """The first eight, of how many."""
        arms = REFERENCE_ARMS | {name: REFERENCE_ARMS["drug"] | {"value": name, "label": name} for name in "xyz"}
        material = make_material(make_facts(arms, days=()), days=())
        main = estimable(main_contrasts(material.contrasts))
        assert len(main) > MOST_OVERLAPS
        blocks = overlap_blocks(material, main)
        told = f"Of {len(main)} contrasts with such genes the first {MOST_OVERLAPS} are compared."
        assert told in words_of(blocks)

    def test_contrasts_of_one_name_are_told_apart(self) -> None:
        """The user's own may read like another one: its id is added, so that each has a row of its own."""
        main = estimable(main_contrasts(toy().contrasts))[:1]
        twin = replace(main[0], id="twin", kind="extra", form="extra")
        look = replace(toy().look, labels=toy().look.labels | {"ccl4": "twin", "healthy": "B"})
        like = replace(main[0], id="twin_vs_B", kind="extra", form="extra")
        tables = dict(toy().tables) | {"twin": toy().tables[main[0].id], "twin_vs_B": toy().tables[main[0].id]}
        material = replace(toy(), look=look, tables=tables)
        figure = figures_of(overlap_blocks(material, [main[0], like, twin]))[0]
        assert "twin vs B (ccl4_vs_healthy)" in figure.svg
        assert "twin vs B (twin_vs_B)" in figure.svg

    def test_the_largest_shared_group_is_told(self) -> None:
        """Not the largest of all, which may be of one contrast."""
        patterns = [Pattern((1, 0), 50), Pattern((1, -1), 7), Pattern((1, 1), 3)]
        told = overlap_words(patterns, ["A", "B"])
        assert told.startswith(
            "10 of 60 genes that change do so in more than one contrast; the largest group, 7 genes,"
        )
        assert "is higher in A, lower in B. 7 of them are higher in one contrast and lower in another" in told

    def test_agreement_and_no_overlap_have_their_sentences(self) -> None:
        """Nothing is said of opposite ways where there are none."""
        assert "Each of them goes the same way" in overlap_words([Pattern((1, 1), 3)], ["A", "B"])
        assert overlap_words([Pattern((1, 0), 3)], ["A", "B"]).startswith("None of the 3 genes")

    def test_a_gene_alone_is_no_evidence_of_a_difference(self) -> None:
        """The caption says so."""
        blocks = overlap_blocks(toy(), estimable(main_contrasts(toy().contrasts)))
        assert "no evidence that the contrasts differ" in words_of(blocks)


def ranked() -> Material:
    """The toy with real enrichment of sets of its genes, of which the first two share genes."""
    material = toy()
    symbols = material.tables[CONTRAST]["symbol"].tolist()
    members = {
        "HALLMARK_FIRST": symbols[0:30:2],
        "HALLMARK_SECOND": symbols[10:40:2],
        "HALLMARK_LOW": symbols[1:41:2],
        "HALLMARK_MIXED": symbols[40:60],
    }
    rows = [
        {"gene_set": name, "gene": gene, "weight": 1, "sign": 1, "gene_id": f"G{symbols.index(gene):04d}", "size": 15}
        for name, genes in members.items()
        for gene in genes
    ]
    own = material.collections[1]
    gene_sets = pd.DataFrame(rows).assign(measured=15, note="")
    tables = {
        name: enrich(
            rank_contrast(material.tables[name], by="symbol"), members, panels=(), size=(5, 50), fdr=0.05, seed=1
        )
        for name in own.enrichment
        if material.tables[name]["log2_fold_change"].notna().any()
    }
    over = pd.concat([own.overrepresentation[CONTRAST].head(2).assign(gene_set=name) for name in members])
    collection = replace(
        own,
        gene_sets=gene_sets,
        enrichment=dict.fromkeys(own.enrichment, tables[CONTRAST]) | tables,
        overrepresentation=dict.fromkeys(own.enrichment, over.drop_duplicates(["gene_set", "direction"])),
    )
    return replace(material, collections=(material.collections[0], collection))


@cache
def material_with_ranks() -> Material:
    """The same, made once."""
    return ranked()


def contrast_of(material: Material) -> Any:
    """The treatment effect."""
    return next(contrast for contrast in material.contrasts if contrast.id == CONTRAST)


class TestEnrichment:
    """Dots, running sums and leading edges, as description."""

    def test_curves_reach_the_scores_of_the_table(self) -> None:
        """The farthest value of each drawn curve is the `es` column, and its leading edge the one listed."""
        material = material_with_ranks()
        collection = material.collections[1]
        table = collection.enrichment[CONTRAST].assign(title=lambda rows: rows["gene_set"])
        curves, crossing = running_scores(material, collection, contrast=contrast_of(material), sets=table)
        assert [one.score for one in curves] == pytest.approx(table["es"].tolist(), abs=1e-9)
        assert {np.sign(one.score) for one in curves} == {-1, 1}
        assert [one.edge for one in curves] == [len(edge.split(";")) for edge in table["leading_edge"]]
        effect = material.tables[CONTRAST].dropna(subset=["log2_fold_change"]).drop_duplicates("symbol")
        assert crossing == (effect["log2_fold_change"] > 0).sum()

    def test_places_are_those_of_the_members(self) -> None:
        """The lines below a curve are the measured members of its set."""
        material = material_with_ranks()
        collection = material.collections[1]
        table = collection.enrichment[CONTRAST].assign(title="T").head(1)
        one = running_scores(material, collection, contrast=contrast_of(material), sets=table)[0][0]
        ranking = rank_contrast(material.tables[CONTRAST], by="symbol")
        members = gene_sets_as_dict(collection.gene_sets)[table["gene_set"].iloc[0]]
        assert set(ranking.index[one.places]) == set(members)

    def test_sets_that_do_not_stand_out_are_not_drawn(self) -> None:
        """Neither curves nor edges nor dots without a set below the false discovery rate."""
        section = enrichment_section(make_material(sure_sets=False))
        for start in ("running__", "leading_edge__", "set_dots__"):
            assert named(section, start) == []
        assert named(enrichment_section(toy()), "running__")

    def test_dots_are_of_sets_that_stand_for_clusters(self) -> None:
        """A set behind another one is not among them, and each set has a row in every effect."""
        material = material_with_ranks()
        rows = dot_rows(material, material.collections[1])
        tables = material.collections[1].enrichment
        stands = {name for table in tables.values() for name in table["cluster"].dropna()}
        assert 0 < rows["gene_set"].nunique() <= min(DOT_SETS, len(stands))
        assert set(rows["gene_set"]) <= stands
        assert (rows.groupby("gene_set").size() == rows.groupby(["effect", "when"]).ngroups).all()

    def test_edges_show_the_outermost_genes_of_every_set(self) -> None:
        """No set is without its first genes; shared ones come first, and there are not too many."""
        sets = pd.DataFrame({"title": list("ABC")})
        edges = [[f"g{place}" for place in range(15)], [f"g{place}" for place in range(14, -1, -1)], ["x", "y", "z"]]
        members = edge_members(sets.assign(leading_edge=[";".join(edge) for edge in edges]))
        assert members["gene"].nunique() == min(EDGE_GENES, 18)
        for title, genes in zip("ABC", edges, strict=True):
            assert set(genes[:OUTERMOST]) <= set(members.loc[members["title"] == title, "gene"])
        sizes = members.groupby("gene", sort=False).size().tolist()
        assert all(one >= other for one, other in pairwise(sizes))

    def test_effects_are_those_of_the_gene_tables(self) -> None:
        """Of two genes with one symbol the one with the larger mean, which the ranking takes too."""
        material = toy()
        tables = dict(material.tables)
        for name, table in tables.items():
            if "log2_fold_change" in table:
                tables[name] = table.assign(
                    symbol=table["symbol"].mask(table["gene_id"] == "G0003", table["symbol"][9])
                )
        material = replace(material, tables=tables)
        gene = tables[CONTRAST]["symbol"][9]
        found = edge_effects(material, material.collections[1], genes=[gene, "Absent"])
        at_7 = tables[f"{CONTRAST}__7d"].set_index("gene_id")
        row = found[(found["gene"] == gene) & (found["when"] == "day 7") & (found["effect"] == "CCl4 + MSC vs CCl4")]
        assert row["value"].tolist() == [at_7.loc["G0009", "log2_fold_change"]]
        assert found.loc[found["gene"] == "Absent", "value"].isna().all()

    def test_a_dataset_without_injury_or_treatment_has_its_own_columns(self) -> None:
        """Two baselines: their one comparison stands in the tiles of the leading edges."""
        arms = {
            "naive": {"role": "healthy", "value": "n", "label": "Naive"},
            "sham": {"role": "healthy", "value": "s", "label": "Sham", "against": "naive"},
        }
        material = make_material(make_facts(arms, days=()), days=())
        found = edge_effects(material, material.collections[1], genes=["Mcl1"])
        assert found["effect"].tolist() == ["Sham vs Naive"]
        assert named(enrichment_section(material), "leading_edge__")

    def test_few_curves_are_drawn(self) -> None:
        """At most four in one picture, however many sets stand out."""
        material = material_with_ranks()
        collection = material.collections[1]
        first = first_sets(collection.enrichment[CONTRAST]).iloc[:1]
        many = pd.concat([first.assign(padj=1e-4)] * 7, ignore_index=True)
        blocks = edge_blocks(material, collection, contrast=contrast_of(material), sets=many)
        assert len(figures_of(blocks)[0].data) == CURVES

    def test_it_stays_a_description(self) -> None:
        """The caution stands first, the finding repeats it, and picked effects are called so."""
        section = enrichment_section(toy())
        assert section.finding.endswith("a description of ranks, not evidence.")
        assert "overstate the evidence" in section.blocks[0].paragraphs[0]
        assert "picked by the same data" in words_of(section.parts)


def test_simulated_data_are_named_on_every_new_picture() -> None:
    """Title, file name and words of each."""
    material = make_material(make_facts(simulation=SIMULATION, counts=None, samples=None))
    drawn = [
        figure
        for section in (quality_section(material), changes_section(material), enrichment_section(material))
        for figure in figures_of(section.parts)
    ]
    assert len({figure.name.split("__")[0] for figure in drawn}) > 9
    for figure in drawn:
        assert figure.name.endswith("_simulated")
        assert "simulated data" in figure.svg
        assert figure.alt.startswith("Simulated data.")


def test_names_of_figures_are_unique() -> None:
    """Each is a file of its own."""
    names = [
        figure.name
        for section in (quality_section(toy()), changes_section(toy()), enrichment_section(toy()))
        for figure in figures_of(section.parts)
    ]
    assert len(names) == len(set(names))
