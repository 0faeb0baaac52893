"""Everything that is written of the effects on the programmes of one dataset, by the name of its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from exoliver.contrasts import Contrast
from exoliver.effects import Setting, effects_beside, estimate_effects
from exoliver.equivalence import compare_products
from exoliver.programmes import long_scores
from exoliver.tables import CHANGES, EFFECTS, EQUIVALENCE, PROGRAMMES, SCORES, NamedTables


def programme_tables(setting: Setting, contrasts: Sequence[Contrast], *, settings: Mapping[str, Any]) -> NamedTables:
    """Scores, effects, changes and comparisons of products, each with its declared columns.

    Parameters
    ----------
    setting
        Of `effects.make_setting`.
    contrasts
        All contrasts of the dataset.
    settings
        The study's `fdr` and `equivalence_margin`.
    """
    effects, changes = estimate_effects(contrasts, setting)
    noted = setting.model.noted(contrasts)
    equivalence = compare_products(setting.fit, noted, programmes=setting.programmes.table, settings=settings)
    return {
        "scores": (long_scores(setting.scores), SCORES),
        "effects": (effects, EFFECTS),
        "changes": (changes, CHANGES),
        "beside": (effects_beside(contrasts, setting, effects=effects), EFFECTS),
        "equivalence": (equivalence, EQUIVALENCE),
        "programmes": (setting.programmes.facts(), PROGRAMMES),
    }
