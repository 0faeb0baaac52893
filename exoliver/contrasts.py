"""Every comparison of a dataset, derived from the roles of its arms; nobody writes vectors.

A contrast is one or several rows of weights over the cells (arm x time) of the design. Knows no counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from exoliver.roles import TREATED_ROLES
from exoliver.study import Arm, ExtraContrast, base_of

TIME_UNITS = {"min": "min", "h": "h", "day": "d", "week": "w", "month": "mo"}
FOLLOWED = ("injury", "treatment")  # effects whose change over time is tested
OMNIBUS = ("any_time", "over_time")


@dataclass(frozen=True, order=True)
class Cell:
    """One arm at one time; `time` is None where the dataset has no times, or the arm serves all of them."""

    arm: str
    time: float | None

    @property
    def name(self) -> str:
        """Name of the cell's column in the design."""
        return self.arm if self.time is None else f"{self.arm}@{self.time:.10g}"


Weights = dict[Cell, float]


def _cell_named(name: str) -> Cell:
    """The cell of a column's name."""
    arm, _, time = name.partition("@")
    return Cell(arm, float(time) if time else None)


@dataclass(frozen=True)
class Contrast:
    """One tested comparison.

    Parameters
    ----------
    id
        Name in paths and tables, such as `msc_vs_ccl4__7d`.
    kind
        `injury`, `treatment`, `distance` (treated against healthy), `head_to_head`, `product_on_healthy`, `comparison`
        (a healthy or reference arm against another one that it names) or `extra`.
    form
        `averaged`, `at_time`, `change`, `any_time`, `over_time` or `extra`.
    arm, base
        The two arms; those of the first difference for an extra contrast.
    times
        Times that it speaks of, in the dataset's unit; for a change the later first.
    rows
        Weights over the cells, one row for each degree of freedom; none where it cannot be estimated.
    note
        Why it cannot be estimated, or what it leaves out.
    """

    id: str
    kind: str
    form: str
    arm: str
    base: str
    times: tuple[float, ...]
    rows: tuple[Weights, ...]
    note: str = ""

    @property
    def effect(self) -> str:
        """The pair of arms, such as `msc_vs_ccl4`."""
        return f"{self.arm}_vs_{self.base}"

    @property
    def when(self) -> str:
        """The time as it stands in its id, such as `7d`; empty where it is no contrast at one of several times."""
        return self.id.rpartition("__")[2] if self.form == "at_time" else ""

    @property
    def is_omnibus(self) -> bool:
        """It has several degrees of freedom, and no single fold change."""
        return self.form in OMNIBUS


def as_index(contrasts: Sequence[Contrast]) -> list[dict[str, Any]]:
    """Contrasts as plain values for JSON; weights by the cell's name."""
    return [
        {item.name: getattr(contrast, item.name) for item in fields(contrast)}
        | {"rows": [{cell.name: weight for cell, weight in row.items()} for row in contrast.rows]}
        for contrast in contrasts
    ]


def from_index(index: Sequence[Mapping[str, Any]]) -> list[Contrast]:
    """Contrasts from the plain values that `as_index` makes of them."""
    return [
        Contrast(
            **{
                **item,
                "times": tuple(item["times"]),
                "rows": tuple({_cell_named(name): weight for name, weight in row.items()} for row in item["rows"]),
            }
        )
        for item in index
    ]


def times_left_out(labels: Iterable[str]) -> str:
    """Note on the times, as they stand in ids, that an average or a course leaves out; empty where there is none."""
    words = ",".join(dict.fromkeys(labels))
    return f"times_left_out:{words}" if words else ""


def time_label(time: float, unit: str) -> str:
    """A time as it stands in ids: `7d`, `0p5h`, `m1d`."""
    number = f"{abs(time):.10g}".replace(".", "p").replace("e+", "e").replace("-", "m")
    return f"{'m' if time < 0 else ''}{number}{TIME_UNITS[unit]}"


def derive_contrasts(
    arms: Mapping[str, Arm],
    *,
    cells: Sequence[Cell],
    unit: str | None,
    extra: Mapping[str, ExtraContrast],
) -> list[Contrast]:
    """Every contrast that the roles ask for, and the user's own.

    Parameters
    ----------
    arms
        The arms by name, in the order of the YAML.
    cells
        The cells that have samples.
    unit
        Unit of the times; None without times.
    extra
        Contrasts that the user names.

    Returns
    -------
    Contrasts in a fixed order: pair by pair as the arms are ordered, within a pair averaged, at each time, changes and
    omnibus tests; the user's own last. One that lacks a cell has no rows and the note `missing_cell`.
    """
    contrasts: list[Contrast] = []
    for kind, arm, base in _pairs(arms):
        contrasts += _of_pair(kind, arm, base, cells=cells, unit=unit)
    contrasts += [_extra(name, contrast, cells) for name, contrast in extra.items()]
    return contrasts


def _pairs(arms: Mapping[str, Arm]) -> Iterator[tuple[str, str, str]]:
    """Kind, arm and base of every pair of arms to be compared."""
    bases = {name: base_of(name, arms) for name in arms}
    kinds = {"injured": "injury", "treated_healthy": "product_on_healthy"}
    kinds |= dict.fromkeys(("healthy", "reference"), "comparison")
    for name, arm in arms.items():
        base = bases[name]
        if base is None:
            continue
        yield kinds.get(arm.role, "treatment"), name, base
        health = bases.get(base)
        if arm.role in TREATED_ROLES and health is not None and arms[health].role == "healthy":
            yield "distance", name, health
    treated = [name for name, arm in arms.items() if arm.role in TREATED_ROLES]
    for position, later in enumerate(treated):
        for earlier in treated[:position]:
            if bases[later] == bases[earlier]:
                yield "head_to_head", later, earlier


def unlike_comparators(arms: Mapping[str, Arm]) -> tuple[list[str], list[str]]:
    """Naive healthy and vehicle-given injured arms: the injury effect between them holds the vehicle's too.

    Parameters
    ----------
    arms
        The arms by name.

    Returns
    -------
    Names of both; two empty lists where one of the two kinds is lacking, and nothing is confounded.
    """
    naive = [name for name, arm in arms.items() if (arm.role, arm.procedure, arm.vehicle) == ("healthy", "naive", None)]
    given = [name for name, arm in arms.items() if arm.role == "injured" and arm.vehicle is not None]
    return (naive, given) if naive and given else ([], [])


def _times_of(arm: str, cells: Sequence[Cell]) -> list[float | None]:
    """Times at which an arm has samples; [None] for one that serves every time."""
    return sorted((cell.time for cell in cells if cell.arm == arm), key=lambda time: (time is not None, time or 0.0))


def _of_pair(kind: str, arm: str, base: str, *, cells: Sequence[Cell], unit: str | None) -> list[Contrast]:
    """All contrasts of one pair of arms."""
    own, other = _times_of(arm, cells), _times_of(base, cells)
    name = f"{arm}_vs_{base}"
    if own in ([], [None]) or not other:
        rows = (_difference(arm, base, None, cells),) if own and other else ()
        return [Contrast(name, kind, "averaged", arm, base, (), rows, "" if rows else "missing_cell")]
    times = [time for time in own if time is not None]
    shared = times if None in other else [time for time in times if time in other]
    if None not in other:
        times = sorted({*times, *(time for time in other if time is not None)})
    effects = {time: _difference(arm, base, time, cells) for time in shared}
    contrasts = [_averaged(name, kind, arm, base, times, effects, unit)]
    if len(times) == 1:
        return contrasts
    label = {time: time_label(time, str(unit)) for time in times}
    for time in times:
        rows, note = ((effects[time],), "") if time in effects else ((), "missing_cell")
        contrasts.append(Contrast(f"{name}__{label[time]}", kind, "at_time", arm, base, (time,), rows, note))
    if kind in FOLLOWED and len(shared) > 1:
        contrasts += _changes(name, kind, arm, base, effects, label)
    return contrasts


def _averaged(
    name: str,
    kind: str,
    arm: str,
    base: str,
    times: Sequence[float],
    effects: Mapping[float, Weights],
    unit: str | None,
) -> Contrast:
    """The mean of the effects at the times that both arms have."""
    left_out = [time_label(time, str(unit)) for time in times if time not in effects]
    if not effects:
        return Contrast(name, kind, "averaged", arm, base, (), (), "missing_cell")
    row = mean_weights(list(effects.values()))
    return Contrast(name, kind, "averaged", arm, base, tuple(effects), (row,), times_left_out(left_out))


def _changes(
    name: str, kind: str, arm: str, base: str, effects: Mapping[float, Weights], label: Mapping[float, str]
) -> list[Contrast]:
    """Changes of the effect between two times (each against the first, and consecutive ones) and the omnibus tests."""
    times = list(effects)
    pairs = [(later, times[0]) for later in times[1:]]
    pairs += [(later, earlier) for earlier, later in pairwise(times) if earlier != times[0]]
    contrasts = []
    for later, earlier in pairs:
        row = _sum([effects[later], _scaled(effects[earlier], -1)])
        identity = f"{name}__{label[later]}_vs_{label[earlier]}"
        contrasts.append(Contrast(identity, kind, "change", arm, base, (later, earlier), (row,)))
    changes = tuple(_sum([effects[time], _scaled(effects[times[0]], -1)]) for time in times[1:])
    spans = tuple(times)
    contrasts.append(Contrast(f"{name}__any_time", kind, "any_time", arm, base, spans, tuple(effects.values())))
    contrasts.append(Contrast(f"{name}__over_time", kind, "over_time", arm, base, spans, changes))
    return contrasts


def _difference(arm: str, base: str, time: float | None, cells: Sequence[Cell]) -> Weights:
    """Arm minus base at one time; an arm that serves every time stands in at each."""
    present = set(cells)
    of = Cell(arm, time) if Cell(arm, time) in present else Cell(arm, None)
    against = Cell(base, time) if Cell(base, time) in present else Cell(base, None)
    if against not in present and time is None:
        times = [cell for cell in cells if cell.arm == base]
        return _sum([{of: 1.0}, *({cell: -1.0 / len(times)} for cell in times)])
    return {of: 1.0, against: -1.0}


def mean_weights(parts: Sequence[Weights]) -> Weights:
    """Mean of several weights, cell by cell."""
    return _sum([_scaled(weights, 1 / len(parts)) for weights in parts])


def _scaled(weights: Weights, factor: float) -> Weights:
    """All weights times a factor."""
    return {cell: weight * factor for cell, weight in weights.items()}


def _sum(parts: Sequence[Weights]) -> Weights:
    """Weights added cell by cell; cells that cancel are left out."""
    total: Weights = {}
    for part in parts:
        for cell, weight in part.items():
            total[cell] = total.get(cell, 0.0) + weight
    return {cell: weight for cell, weight in total.items() if abs(weight) > 1e-12}


def _extra(name: str, contrast: ExtraContrast, cells: Sequence[Cell]) -> Contrast:
    """A contrast that the user names; without rows where a cell has no samples."""
    parts = [(contrast.of, 1.0), (contrast.against, -1.0)]
    if contrast.minus is not None:
        parts += [(contrast.minus.of, -1.0), (contrast.minus.against, 1.0)]
    arm, base = contrast.of.arm, contrast.against.arm
    chosen = [(_chosen(part.arm, _as_times(part.time), cells), sign) for part, sign in parts]
    if any(not group for group, _ in chosen):
        return Contrast(name, "extra", "extra", arm, base, (), (), "missing_cell")
    row = _sum([{cell: sign / len(group)} for group, sign in chosen for cell in group])
    if not row:
        return Contrast(name, "extra", "extra", arm, base, (), (), "cancels_out")
    times = tuple(sorted({cell.time for group, _ in chosen for cell in group if cell.time is not None}))
    return Contrast(name, "extra", "extra", arm, base, times, (row,))


def _as_times(time: float | Sequence[float] | None) -> Sequence[float] | None:
    """The times that the user asks for; None for all."""
    return (time,) if isinstance(time, float) else time


def _chosen(arm: str, times: Sequence[float] | None, cells: Sequence[Cell]) -> list[Cell]:
    """Cells of an arm at the times asked for; empty where one of them has no samples."""
    own = {cell.time: cell for cell in cells if cell.arm == arm}
    if times is None:
        return list(own.values())
    if None in own:
        known = {cell.time for cell in cells} - {None}
        return [own[None]] if set(times) <= known else []
    return [own[time] for time in times] if all(time in own for time in times) else []
