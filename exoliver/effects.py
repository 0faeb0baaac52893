"""Effects of every contrast on every programme, and their changes over time, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from exoliver.camera import Camera, camera_pvalues, prepare_camera
from exoliver.contrasts import Contrast
from exoliver.design import contrast_rows
from exoliver.inference.filtering import adjust_pvalues
from exoliver.linear import estimate_linear, joint_test
from exoliver.mixture import MIXED_SYSTEMS, Adjusted, adjust_for_mixture, is_cell_type, mixture_notes
from exoliver.model import Model
from exoliver.programmes import (
    DONORS_UNREPLICATED,
    ProgrammeFit,
    Programmes,
    every_programme,
    find_programmes,
    fit_programmes,
    leave_one_out,
    score_programmes,
    select_programmes,
    separable_donors,
)
from exoliver.ranked_sets import panels_of
from exoliver.store import Expression
from exoliver.tables import CHANGES, EFFECTS, join_notes, stack_tables

LEVEL = 0.95
BESIDE = ("cells", "nuisance")  # themes of sets that stand beside an answer: the mixture, clock, feeding, handling
HALF = 0.5  # of an effect: less is left of it where the mean of all genes is taken off
FACTS = ("attenuation", "members", "coverage")  # of a programme, told beside each of its effects
CHANGING = ("change", "any_time", "over_time")


@dataclass(frozen=True)
class Setting:
    """What the effects of one dataset are estimated from.

    Parameters
    ----------
    programmes, scores, fit
        The programmes (k), their scores (samples x k), and the models of these.
    model
        The gene model, for its design.
    expression
        Variance-stabilised expression, samples x gene ids.
    donors
        As `fit_programmes` takes them.
    markers
        Sets of the liver's cell types; None where the samples are no mixture.
    beside
        Names of the sets that tell of no answer: cell types, clock, feeding and handling.
    nuisances
        Their own setting, where they are not among the programmes that are followed.
    fdr
        Level at which an effect is evident, for what is said of the mixture.
    """

    programmes: Programmes
    scores: pd.DataFrame
    fit: ProgrammeFit
    model: Model
    expression: pd.DataFrame
    donors: np.ndarray | None
    markers: Programmes | None
    beside: frozenset[str]
    nuisances: Setting | None
    fdr: float


def make_setting(
    collections: Sequence[tuple[pd.DataFrame, Mapping[str, Any]]],
    *,
    expression: Expression,
    model: Model,
    system: str,
    settings: Mapping[str, Any],
) -> Setting:
    """The programmes of one dataset, scored and fitted.

    Parameters
    ----------
    collections
        Mapped sets and facts of three: the collection that is followed; the one whose variances moderate beside it
        (Hallmark); and the one that holds the liver's cell types.
    expression, model
        Of the dataset.
    system
        Kind of the samples; those of one cell type have no mixture.
    settings
        The study's `set_size` and `fdr`.

    Returns
    -------
    Where donors are nested in arms and none of an arm is replicated, programmes have a note and no numbers.
    """
    programmes, others, cells = (
        find_programmes(mapped, model, panels=panels_of(entry), size=settings["set_size"])
        for mapped, entry in collections
    )
    (_, followed), _, (_, shipped) = collections
    companions = score_programmes(others, expression.vst)
    beside = frozenset(facts["gene_set"] for facts in shipped["gene_sets"] if facts.get("theme") in BESIDE)
    markers = cells if system in MIXED_SYSTEMS else None
    shared = {"expression": expression, "model": model, "companions": companions, "fdr": settings["fdr"]}
    setting = _fitted(programmes, markers, beside=beside, **shared)
    if followed["name"] == shipped["name"]:
        return setting
    return replace(setting, nuisances=_fitted(select_programmes(cells, beside), None, beside=beside, **shared))


def _fitted(
    programmes: Programmes,
    markers: Programmes | None,
    *,
    beside: frozenset[str],
    expression: Expression,
    model: Model,
    companions: pd.DataFrame,
    fdr: float,
) -> Setting:
    """Some programmes, scored and fitted."""
    donors, reason = separable_donors(model, expression.samples)
    programmes = (_without_scores if reason == DONORS_UNREPLICATED else _with_note)(programmes, reason)
    scores = score_programmes(programmes, expression.vst)
    fit = fit_programmes(scores, model, attenuation=programmes.attenuation, companions=companions, donors=donors)
    return Setting(programmes, scores, fit, model, expression.vst, donors, markers, beside, None, fdr)


def _without_scores(programmes: Programmes, reason: str) -> Programmes:
    """The programmes, none of them scored, each with the reason beside its own note."""
    table = programmes.table.assign(is_scored=False)
    return _with_note(replace(programmes, table=table, weights=programmes.weights[:, :0]), reason)


def _with_note(programmes: Programmes, reason: str) -> Programmes:
    """The programmes, each with a reason beside its own note."""
    notes = [join_notes(note, reason) for note in programmes.table["note"]]
    return replace(programmes, table=programmes.table.assign(note=notes))


def estimate_effects(contrasts: Sequence[Contrast], setting: Setting) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Effects and changes of every programme.

    Parameters
    ----------
    contrasts
        All contrasts of the dataset.

    Returns
    -------
    Effects (averaged, at each time, the user's own contrasts) and changes over time (between times, and omnibus). One
    row per contrast and programme, contrasts as listed, programmes by name; corrected within each contrast over the
    programmes that are tested. What cannot be had is a row with a note.
    """
    shared = _Shared.of(contrasts, setting)
    effects: list[pd.DataFrame] = []
    changes: list[pd.DataFrame] = []
    for contrast in contrasts:
        table = shared.omnibus(contrast) if contrast.is_omnibus else shared.single(contrast)
        (changes if contrast.form in CHANGING else effects).append(table)
    return stack_tables(effects, EFFECTS), stack_tables(changes, CHANGES)


@dataclass(frozen=True)
class _Shared:
    """Numbers of all single contrasts together, programmes (k) x contrasts (q), and the test against other genes."""

    setting: Setting
    places: dict[str, int]
    numbers: dict[str, np.ndarray]
    adjusted: Adjusted
    camera: Camera | None

    @classmethod
    def of(cls, contrasts: Sequence[Contrast], setting: Setting) -> _Shared:
        """Estimated at once, since most of the work is the same for all contrasts."""
        single = [contrast for contrast in contrasts if contrast.rows and not contrast.is_omnibus]
        columns = setting.fit.columns
        rows = np.vstack([np.zeros((0, len(columns))), *(contrast_rows(one.rows, columns) for one in single)])
        places = {contrast.id: place for place, contrast in enumerate(single)}
        return cls(setting, places, _numbers(setting, rows), _adjusted(setting, rows), _camera(setting))

    @property
    def untested(self) -> np.ndarray:
        """Programmes of a mixture of cells of which it could not be held constant, and which are no cell type."""
        is_mixed = self.setting.markers is not None
        own = np.array([is_cell_type(name) for name in self.setting.programmes.scored], dtype=bool)
        return is_mixed & ~own & np.isnan(self.adjusted.components)

    def single(self, contrast: Contrast) -> pd.DataFrame:
        """Every programme in one contrast of one degree of freedom."""
        if contrast.id not in self.places:
            return self._complete(contrast, {})
        place = self.places[contrast.id]
        own = {name: values[:, place] for name, values in self.numbers.items()}
        own["padj"] = adjust_pvalues(own["pvalue"])
        adjusted = self.adjusted.of(place)
        own |= {"estimate_adjusted": adjusted.estimate, "adjusted_low": adjusted.low, "adjusted_high": adjusted.high}
        own |= {"mixture_components": self.adjusted.components, "mixture_share": self.adjusted.share}
        own["moved_by_composition"] = own["estimate"] - adjusted.estimate
        if self.camera is not None:
            row = contrast_rows(contrast.rows, self.setting.fit.columns)[0]
            own |= {"camera_pvalue": camera_pvalues(self.camera, row), "camera_correlation": self.camera.correlation}
        evident = own["padj"] < self.setting.fdr
        words = [mixture_notes(own["estimate"], evident, adjusted=adjusted), *_doubts(own, evident)]
        words += [np.where(evident & self.untested, "mixture_untested", "")]
        return self._complete(contrast, own, [join_notes(*parts) for parts in zip(*words, strict=True)])

    def omnibus(self, contrast: Contrast) -> pd.DataFrame:
        """Every programme in one contrast of several degrees of freedom."""
        if not contrast.rows:
            return self._complete(contrast, {})
        found = joint_test(self.setting.fit.moderated, contrast_rows(contrast.rows, self.setting.fit.columns))
        own = {"stat": found.stat, "df": np.where(np.isnan(found.stat), np.nan, found.df)}
        own |= {"df_residual": found.df_residual, "pvalue": found.pvalue, "padj": adjust_pvalues(found.pvalue)}
        return self._complete(contrast, own)

    def _complete(
        self, contrast: Contrast, own: dict[str, np.ndarray], more: Sequence[str] | None = None
    ) -> pd.DataFrame:
        """The numbers of the scored programmes among all programmes, with notes."""
        facts = self.setting.programmes.table
        notes = [self.setting.model.noted_as_single(contrast.note, contrast.rows)]
        numbers = pd.DataFrame(own, index=pd.Index(self.setting.programmes.scored, dtype=object))
        table = every_programme(numbers if more is None else numbers.assign(note=more), facts, notes=notes)
        return table.assign(contrast=contrast.id, **{name: facts[name].to_numpy() for name in FACTS})


def _doubts(own: Mapping[str, np.ndarray], evident: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Notes on evident effects that one gene turns, and that a shift of the whole library explains."""
    is_turned = evident & (np.sign(own["leave_one_out_low"]) != np.sign(own["leave_one_out_high"]))
    is_shift = evident & (own["estimate_centred"] * np.sign(own["estimate"]) < HALF * np.abs(own["estimate"]))
    return np.where(is_turned, "one_gene", ""), np.where(is_shift, "composition_shift", "")


def _numbers(setting: Setting, rows: np.ndarray) -> dict[str, np.ndarray]:
    """What the models say of all single contrasts; arrays (k, q)."""
    tested = estimate_linear(setting.fit.moderated, rows)
    plain = estimate_linear(setting.fit.plain, rows)
    low, high = tested.interval(LEVEL)
    share, lowest, highest = leave_one_out(setting.programmes, setting.fit, expression=setting.expression, rows=rows)
    return {
        "estimate": tested.estimate,
        "se": tested.se,
        "df": tested.df,
        "ci_low": low,
        "ci_high": high,
        "pvalue": tested.pvalue,
        "se_unmoderated": plain.se,
        "df_residual": plain.df,
        "estimate_centred": _centred(setting, rows),
        "top_gene_share": share,
        "leave_one_out_low": lowest,
        "leave_one_out_high": highest,
    }


def _centred(setting: Setting, rows: np.ndarray) -> np.ndarray:
    """Effects with the mean of all tested genes taken off every gene: what a shift of library composition leaves."""
    programmes = setting.programmes
    scores = setting.scores.to_numpy()
    everything = setting.expression.loc[:, list(programmes.genes)].to_numpy(dtype=float).mean(axis=1)
    centred = scores - everything[:, None] * programmes.weights.sum(axis=0)
    return np.asarray(np.einsum("qp,kpn,nk->kq", rows, setting.fit.plain.hat, centred))


def _adjusted(setting: Setting, rows: np.ndarray) -> Adjusted:
    """Effects with the mixture held constant; NaN where there is no mixture."""
    if setting.markers is None:
        return Adjusted.unknown(len(setting.fit.names), len(rows))
    return adjust_for_mixture(
        setting.programmes,
        setting.markers,
        expression=setting.expression,
        design=setting.model.design,
        donors=setting.donors,
        rows=rows,
        level=LEVEL,
    )


def _camera(setting: Setting) -> Camera | None:
    """The test against other genes; none where samples are correlated, which it does not know, or without a set."""
    if setting.donors is not None or not setting.fit.names:
        return None
    values = setting.expression.loc[:, list(setting.programmes.genes)].to_numpy(dtype=float)
    return prepare_camera(values, setting.model.design, signs=np.sign(setting.programmes.weights))


def effects_beside(contrasts: Sequence[Contrast], setting: Setting, *, effects: pd.DataFrame) -> pd.DataFrame:
    """Effects on the cell types and nuisances: those of the followed programmes, else of their own.

    Parameters
    ----------
    contrasts
        All contrasts of the dataset.
    effects
        Of `estimate_effects`, on the followed programmes.
    """
    if setting.nuisances is None:
        return effects[effects["programme"].isin(setting.beside)].reset_index(drop=True)
    return estimate_effects(contrasts, setting.nuisances)[0]
