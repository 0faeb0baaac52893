"""The answer: what it says in every kind of design, what may not be claimed, and what is benefit or harm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from exoliver.figures.effect_tiles import COLOURS, blended, drawn_tiles, row_keys, signed
from exoliver.report.answer import answer_section, balance_sentence
from exoliver.report.benefit import benefits_of, meaning
from exoliver.report.elements import Prose, Section
from exoliver.report.limits import limits_of
from exoliver.report.material import Material
from exoliver.report.plain_answer import INJURY, SURE, TREATMENT, WHEN, plain_sentences
from exoliver.report.programmes import answer_picture, tile_rows
from exoliver.report.undone import rescue_sides
from tests.toy_designs import material, treatments, with_threshold
from tests.toy_report import INJURED_ARMS, REFERENCE_ARMS, make_facts, make_material


def text_of(section: Section) -> str:
    """The finding and all paragraphs of a section."""
    blocks = [block for block in section.parts if isinstance(block, Prose)]
    return " ".join([section.finding, *(text for block in blocks for text in [block.lead, *block.paragraphs])])


def plain(toy: Material) -> dict[str, str]:
    """The plain sentences by what they speak of."""
    return {block.lead: " ".join(block.paragraphs) for block in plain_sentences(toy)}


def with_rows(toy: Material, **tables: Any) -> Material:
    """The material with other tables of programmes."""
    return replace(toy, programmes=replace(toy.programmes, **tables))


def wanting(toy: Material, **benefits: str) -> Material:
    """The material whose programmes have a wanted direction."""
    first = toy.collections[0]
    facts = [fact | {"benefit": benefits.get(fact["gene_set"], "depends")} for fact in first.entry["gene_sets"]]
    own = replace(first, entry=first.entry | {"gene_sets": facts})
    return replace(toy, collections=(own, *toy.collections[1:]))


class TestAnswer:
    """The sentences that a reader stops at."""

    def test_effects_are_told_with_their_numbers_and_doubt(self) -> None:
        """How many genes go up and down, of how many, and how many may be false."""
        text = text_of(answer_section(material("injury")))
        assert "CCl4 raises 3 and lowers 3 of 78 genes against Chow" in text
        assert "CCl4 + MSC raises 3 and lowers 3 of 78 genes against CCl4" in text
        assert "fewer than one may be false" in text
        assert "mean of day 1 and 7" in text

    def test_no_hit_reads_no_evidence(self) -> None:
        """The absence of hits is not told as absence of an effect."""
        text = text_of(answer_section(material("no_hits")))
        assert "There is no evidence that CCl4 + MSC changes any of 78 genes against CCl4" in text
        assert "There is no evidence that a programme changes" in text
        assert "differs from zero at any time in any gene" in text

    def test_one_hit_is_one_gene(self) -> None:
        """Grammar follows the number."""
        assert answer_section(material("one_hit")).finding.startswith("1 of 78 genes changes with CCl4 + MSC")

    @pytest.mark.parametrize(
        ("kind", "reason"),
        [
            ("untreated", "A treatment effect, because no arm is treated"),
            ("reference", "because no arm has the role healthy, and none the role injured"),
            ("cultured", "because no arm has the role healthy, and none the role injured"),
            ("untested", "Programmes, because too few of their genes are measured"),
            ("one_time", "Change over time, because all samples are from one time"),
            ("missing_cell", "day 7 and CCl4 + MSC vs Chow, day 7, because an arm has no samples there"),
            ("alone", "A treatment effect, because no arm is treated"),
        ],
    )
    def test_what_is_not_testable_is_said_with_its_reason(self, kind: str, reason: str) -> None:
        """A missing arm, time or cell."""
        text = text_of(answer_section(material(kind)))
        assert "Not testable" in text
        assert reason in text

    def test_a_full_design_has_nothing_untestable(self) -> None:
        """No empty heading."""
        assert "Not testable" not in text_of(answer_section(material("injury")))

    def test_several_products_share_a_sentence(self) -> None:
        """Three treated arms against one base do not repeat it three times."""
        section = answer_section(make_material(make_facts(treatments("alpha", "beta"), days=()), days=()))
        assert text_of(section).count("genes against Control") == 1
        assert "Drug: 3 raised, 3 lowered; ALPHA: 3 raised, 3 lowered; BETA" in text_of(section)
        assert "against Control (of 78; false discovery rate 0.05): 6 with Drug; 6 with ALPHA; 6" in section.finding
        assert section.contents == "Drug: 6 genes; ALPHA: 6 genes; BETA: 6 genes"

    def test_no_effect_is_dropped_without_a_word(self) -> None:
        """A fourth and fifth treatment are counted in the finding, over time, and in the balances."""
        section = answer_section(make_material(make_facts(treatments("alpha", "beta", "gamma", "delta"))))
        assert "with BETA (averaged over times, 6); and 2 further effects; programmes change with" in section.finding
        assert "2 further effects over time: see" in text_of(section)
        assert "; and 1 further effect." in text_of(section)

    @pytest.mark.parametrize(
        ("kind", "finding", "sentence"),
        [
            (
                "on_healthy",
                "6 of 78 genes change with CCl4 + MSC against Chow",
                "Product on healthy samples CCl4 + MSC",
            ),
            ("baselines", "6 of 78 genes change with Sham against Naive", "Comparison Sham raises 3 and lowers 3"),
            ("asked_for", "6 of 78 genes change in second over first", "Asked for Second over first: 3 of 78 genes"),
        ],
    )
    def test_whatever_can_be_tested_is_the_finding(self, kind: str, finding: str, sentence: str) -> None:
        """Without treatment and injury: products on the healthy, baselines, contrasts of the user."""
        section = answer_section(material(kind))
        assert section.finding.startswith(finding)
        assert sentence in text_of(section)
        assert "nothing" not in section.contents.lower()

    def test_programmes_that_could_not_be_tested_are_not_told_as_without_a_hit(self) -> None:
        """On every line that speaks of ranks, with the reason."""
        section = answer_section(material("untested"))
        assert "no programme could be tested" in section.finding
        assert "evidence that a programme" not in text_of(section)
        assert text_of(section).lower().count("no programme could be tested") == 4

    def test_the_larger_number_of_two_tests_leads(self) -> None:
        """Where the test of all times at once finds fewer genes than the average does, the average is told first."""
        toy = material("injury")
        none = toy.tables["msc_vs_ccl4__any_time"].assign(padj=1.0)
        section = answer_section(replace(toy, tables={**toy.tables, "msc_vs_ccl4__any_time": none}))
        told = "6 of 78 genes change with CCl4 + MSC against CCl4 averaged over times (false discovery rate 0.05; "
        assert section.finding.startswith(f"{told}the test of all times at once finds 0)")
        assert "differs from zero at any time in any gene; in 6 it changes with time" in text_of(section)

    def test_a_tested_threshold_is_of_averages_alone(self) -> None:
        """The number that leads is of what was asked, and the other one says what it is of."""
        section = answer_section(with_threshold(material("injury")))
        assert section.finding.startswith(
            "6 of 78 genes change by more than ×2 (log2 1) with CCl4 + MSC against CCl4 av"
        )
        assert "the test of all times at once, against no change, finds 6" in section.finding
        assert "(likelihood-ratio tests of all times, against no change, each adjusted by itself)" in text_of(section)

    def test_what_weakens_a_number_stands_beside_it(self) -> None:
        """A group of one sample, times left out, and a balance of genes with few counts."""
        toy = material("missing_cell")
        table = toy.tables["ccl4_vs_healthy"]
        single = table.assign(note=("unreplicated;" + table["note"]).str.rstrip(";"))
        panel = toy.panel.assign(note="low_expression:Bak1")
        weak = replace(toy, tables={**toy.tables, "ccl4_vs_healthy": single}, panel=panel)
        section = answer_section(weak)
        assert "fewer than one may be false; a group has a single sample: read as description)" in text_of(section)
        assert "(false discovery rate 0.05; times that one arm lacks are left out: 7d)" in section.finding
        assert "(few counts: Bak1)" in text_of(section)

    def test_a_balance_is_raised_only_where_the_interval_says_so(self) -> None:
        """An interval that holds zero reads no evidence, with what it does not exclude."""
        row = {"estimate": 0.5, "ci_low": 0.1, "ci_high": 0.9, "pvalue": 0.02, "note": ""}
        assert "MSC raises the balance" in balance_sentence(row, "MSC", base="CCl4")
        assert "MSC lowers" in balance_sentence(
            {**row, "estimate": -0.5, "ci_low": -0.9, "ci_high": -0.1}, "MSC", base=""
        )
        unsure = balance_sentence({**row, "ci_low": -0.1}, "MSC", base="CCl4")
        assert "no evidence that MSC changes the balance" in unsure
        assert "changes of up to ×1.9 either way are not excluded" in unsure


class TestLimits:
    """What may not be claimed, as far as facts tell."""

    def limits(self, arms: dict[str, Any] = INJURED_ARMS, **keys: Any) -> str:
        """The limits of a dataset in one text."""
        toy = make_material(make_facts(arms, **keys))
        return " ".join(limits_of(toy.facts, toy.contrasts, look=toy.look))

    def test_necrosis_is_no_apoptosis(self) -> None:
        """Only where the YAML says so."""
        told = self.limits(injury={"model": "paracetamol", "death": "necrosis"})
        assert "a change of apoptosis mRNA is no evidence of less death" in told
        assert "necrosis" not in self.limits(injury={"model": "galn_lps", "death": "apoptosis"})

    def test_a_tested_threshold_stands_beside_the_answer(self) -> None:
        """Else `no evidence` would be read as of no effect at all."""
        toy = make_material(make_facts(INJURED_ARMS))
        told = limits_of(toy.facts, toy.contrasts, look=toy.look, threshold=1.0)
        assert told[0].startswith("Genes were tested for a change by more than ×2 (log2 1)")
        assert told[0].endswith(
            "Tests of all times at once, balances and gene sets by rank are against no change at all."
        )
        assert "by more than" not in self.limits()

    @pytest.mark.parametrize("unit", ["well", "passage"])
    def test_wells_are_one_culture(self, unit: str) -> None:
        """Replicates of one culture say nothing of another."""
        told = self.limits(samples={"file": "s.tsv", "unit": unit})
        assert f"Replicates are {unit}s: every p-value and interval is within one culture" in told

    def test_pools_hide_animals(self) -> None:
        """The size of a pool is told."""
        assert "a pool of 3 animals" in self.limits(samples={"file": "s.tsv", "unit": "pool", "pool_size": 3})

    def test_one_lot_speaks_for_itself(self) -> None:
        """Lot and donors as the YAML gives them."""
        assert (
            "CCl4 + MSC: all samples were given one lot (A) from 1 donor; the claim is about that lot." in self.limits()
        )

    def test_foreign_cells_can_look_like_fibrosis(self) -> None:
        """Human cells in mice; nothing where the species agree."""
        assert "fibrosis, mesenchymal and proliferation genes can seem raised" in self.limits()
        own = INJURED_ARMS | {"msc": INJURED_ARMS["msc"] | {"species": "mouse"}}
        assert "mesenchymal" not in self.limits(own)

    def test_naive_against_vehicle_is_confounded(self) -> None:
        """The healthy were given nothing, the injured a vehicle."""
        arms = INJURED_ARMS | {
            "healthy": INJURED_ARMS["healthy"] | {"procedure": "naive"},
            "ccl4": INJURED_ARMS["ccl4"] | {"vehicle": "oil"},
        }
        assert "Chow is naive and CCl4 was given a vehicle" in self.limits(arms)

    def test_an_acute_injury_heals_by_itself(self) -> None:
        """A fading effect is not read as relapse; a chronic injury has no such sentence."""
        assert "the untreated recovered" in self.limits()
        assert "the untreated recovered" not in self.limits(injury={"course": "chronic"})

    def test_survival_of_stellate_cells_is_harm(self) -> None:
        """By cell type or line."""
        assert "In stellate cells survival is harm" in self.limits(system={"kind": "cell_line", "line": "LX-2"})

    def test_cells_in_culture_are_no_mixture(self) -> None:
        """The sentence on mixtures is for tissue."""
        assert "Tissue is a mixture" in self.limits()
        assert "Tissue is a mixture" not in self.limits(system={"kind": "cell_line"})

    def test_one_baseline_for_all_times_is_said(self) -> None:
        """Age and time are not controlled in it."""
        arms = INJURED_ARMS | {"healthy": INJURED_ARMS["healthy"] | {"at": "all_times"}}
        assert "Chow serves every time: age and time are not controlled in it." in self.limits(arms)

    def test_a_cell_line_is_no_liver(self) -> None:
        """With its name; nothing for tissue."""
        assert "of one cell line (LX-2): nothing here says" in self.limits(system={"kind": "cell_line", "line": "LX-2"})
        assert "cell line" not in self.limits()

    def test_what_is_not_stated_of_a_product_is_said(self) -> None:
        """Species and lot of products of cells; a drug has neither."""
        bare = {key: value for key, value in INJURED_ARMS["msc"].items() if key not in ("species", "lot", "lot_donors")}
        told = self.limits(INJURED_ARMS | {"msc": bare})
        assert "the species of the product in CCl4 + MSC, so that foreign RNA is not excluded" in told
        assert "its lot in CCl4 + MSC" in told
        assert "Not stated" not in self.limits()
        assert "Not stated" not in self.limits(REFERENCE_ARMS)


class TestPlainSentences:
    """Injury, treatment, when, how sure: from tables whose numbers are known."""

    def test_each_names_programmes_with_their_doubt(self) -> None:
        """Counts, effects with intervals, shares restored with intervals, and the samples of a group."""
        told = plain(material("injury"))
        assert list(told) == [INJURY, TREATMENT, WHEN, SURE]
        assert told[INJURY] == (
            "CCl4 raises 1 and lowers 1 of 3 programmes against Chow (adjusted p below 0.05; mean of day 1 and 7). "
            "In log2: anti apoptosis −0.60 (−0.80 to −0.40); apoptosis 0.50 (0.30 to 0.70)."
        )
        assert told[TREATMENT] == (
            "Of 1 programme that the injury moves clearly, CCl4 + MSC brings 1 back towards healthy (share of the "
            "injury effect restored: apoptosis 0.50 (0.20 to 0.80))."
        )
        assert "apoptosis raised at day 1 and at the last time" in told[WHEN]
        assert "Share of apoptosis restored with CCl4 + MSC: 0.50 (0.20 to 0.80) at day 1 and 0.50" in told[WHEN]
        assert told[SURE].startswith("3 samples of each arm and time (replicate: animal)")

    def test_what_goes_back_is_told_from_what_does_not(self) -> None:
        """Beyond healthy, amplified, and without evidence are none of those that go back."""
        sides = rescue_sides(
            pd.DataFrame(
                {
                    "pattern": ["reversal", "partial", "reversal", "amplified_response", "none", "partial"],
                    "class": [
                        "restored",
                        "partly_restored",
                        "overshoot",
                        "away_from_healthy",
                        "unchanged",
                        "undecided",
                    ],
                    "ci_low": [0.5, 0.2, 1.2, -0.9, -0.1, -0.1],
                }
            )
        )
        assert {name: list(rows.index) for name, rows in sides.items()} == {
            "back": [0, 1], "beyond": [2], "amplified": [3], "open": [4, 5],
        }  # fmt: skip
        worse = material("injury").programmes.rescue.assign(pattern="amplified_response")
        told = plain(with_rows(material("injury"), rescue=worse))[TREATMENT]
        assert "brings none back towards healthy" in told
        assert "it amplifies the injury's response in apoptosis 0.50 (0.20 to 0.80)" in told
        assert "Share of" not in plain(with_rows(material("injury"), rescue=worse))[WHEN]

    def test_without_an_injury_the_treatment_is_told_alone(self) -> None:
        """Nothing is restored where there is no way back to health."""
        told = plain(material("reference"))
        assert INJURY not in told
        assert "Drug raises 1 and lowers 1 of 3 programmes against Control" in told[TREATMENT]
        assert "restored" not in " ".join(told.values())
        assert list(plain(material("worm"))) == [SURE]

    def test_effects_without_evidence_share_a_sentence(self) -> None:
        """Three arms without one sure programme; with the smallest p-value of them."""
        toy = make_material(make_facts(treatments("alpha", "beta"), days=()), days=(), sure_sets=False)
        assert plain(toy)[TREATMENT] == (
            "There is no evidence that Drug, ALPHA or BETA changes any of 3 programmes against Control "
            "(smallest\u00a0adjusted\u00a0p\u00a0=\u00a00.50)."
        )

    def test_benefit_and_harm_are_words_of_wanted_directions_alone(self) -> None:
        """Up or down; a programme that is to go back to healthy, or depends, is neither; nor is any without injury."""
        toy = material("injury")
        assert "benefit" not in plain(toy)[INJURY]
        told = plain(wanting(toy, apoptosis="down", anti_apoptosis="down"))[INJURY]
        assert "apoptosis is raised, a harm (less is better)" in told
        assert "Anti apoptosis is lowered, a benefit (less is better)" in told
        healthy = plain(wanting(toy, apoptosis="toward_healthy"))[INJURY]
        assert "harm" not in healthy
        assert "harm" not in plain(wanting(material("reference"), apoptosis="down"))[TREATMENT]

    def test_programmes_that_were_not_measured_are_not_testable(self) -> None:
        """By name where they are few."""
        effects = material("injury").programmes.effects.copy()
        effects.loc[effects["programme"] == "inflammation", "pvalue"] = np.nan
        text = text_of(answer_section(with_rows(material("injury"), effects=effects)))
        assert "Inflammation, because too few of their genes are measured" in text


class TestBenefit:
    """What an effect means, and how the picture shows it."""

    def test_the_sign_of_an_effect_is_judged_by_the_wanted_direction(self) -> None:
        """Up, down, and nothing else."""
        judged = {(sign, wanted): meaning(sign, wanted) for sign in (1.0, -1.0) for wanted in ("up", "down", "depends")}
        assert judged == {
            (1.0, "up"): "benefit", (-1.0, "up"): "harm", (1.0, "down"): "harm", (-1.0, "down"): "benefit",
            (1.0, "depends"): "neutral", (-1.0, "depends"): "neutral",
        }  # fmt: skip
        assert meaning(np.nan, "up") == meaning(0.0, "up") == meaning(1.0, "toward_healthy") == "neutral"

    def test_cells_of_one_type_have_a_benefit_of_their_own(self) -> None:
        """Survival of stellate cells is harm; in tissue, whatever its cell type, the benefit of tissue counts."""
        fact = {"gene_set": "s", "benefit": "depends", "benefit_by_cell_type": {"stellate": "down"}}
        entry = {"gene_sets": [fact]}
        systems = {
            ("cell_line", None, "LX-2"): "down", ("primary_cells", "hepatic stellate cells", None): "down",
            ("primary_cells", "hepatocytes", None): "depends", ("tissue", "stellate", None): "depends",
        }  # fmt: skip
        for (kind, cells, line), wanted in systems.items():
            system = {"kind": kind, "cell_type": cells, "line": line}
            for role, expected in (("injured", wanted), ("reference", "depends")):
                facts = {"system": system, "arms": {"levels": {"a": {"role": role}}}}
                assert benefits_of(entry, facts) == {"s": expected}

    def test_the_picture_groups_programmes_and_marks_their_state(self) -> None:
        """A wanted programme is shown whatever its p-value; colours by meaning, size by evidence."""
        toy = wanting(material("missing_cell"), inflammation="down")
        rows = tile_rows(toy)
        assert "inflammation" in set(rows["programme"])
        lost = rows[(rows["when"] == "day 7") & (rows["effect"] == "CCl4 + MSC vs CCl4")]
        assert set(lost["state"]) == {"not testable"}
        tiles = drawn_tiles(rows, fdr=0.05)
        assert set(tiles.loc[tiles["programme"] == "inflammation", "size"]) == {"open"}
        assert set(tiles.loc[(tiles["programme"] == "apoptosis") & tiles["value"].notna(), "size"]) == {"sure"}
        picture = answer_picture(toy)
        assert picture is not None
        assert "Only inflammation has a direction that is wanted" in picture.caption
        assert "not testable" in picture.figure.alt
        neutral = answer_picture(material("injury"))
        assert neutral is not None
        assert [neutral.figure.svg.count(COLOURS[name]) for name in ("benefit", "harm")] == [0, 0]

    def test_rows_stand_under_their_headings(self) -> None:
        """One row for each heading; none above programmes without a theme."""
        keys = row_keys(pd.Series(["A", "B", "A", ""]), pd.Series(["x", "y", "z", "w"]))
        assert keys == [("A", ""), ("A", "x"), ("A", "z"), ("B", ""), ("B", "y"), ("", "w")]

    def test_numbers_of_tiles_have_a_sign(self) -> None:
        """And no more than two decimals; a missing one is empty."""
        assert [signed(value) for value in (0.456, -0.456, 0.001, np.nan)] == ["+0.46", "−0.46", "0.00", ""]
        assert blended(COLOURS["benefit"], 1.0) == blended(COLOURS["benefit"], 7.0) == COLOURS["benefit"]

    def test_hostile_names_stay_literals(self) -> None:
        """A programme whose title closes a string of the chart's expressions draws as text."""
        toy = material("injury")
        title = "'];alert(1)//<script>\\\""
        facts = [fact | {"title": title, "theme": title} for fact in toy.collections[0].entry["gene_sets"][:1]]
        first = replace(toy.collections[0], entry=toy.collections[0].entry | {"gene_sets": facts})
        picture = answer_picture(replace(toy, collections=(first, *toy.collections[1:])))
        assert picture is not None
        assert "<script" not in picture.figure.svg
        assert "alert(1)//&lt;script&gt;" in picture.figure.svg
