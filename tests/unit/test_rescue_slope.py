"""The rescue slope, against the same formulas written out gene by gene and pair by pair, and against planted truth."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import norm, t

from exoliver.fieller import INJURY_NOT_DETECTED, OK
from exoliver.rescue_slope import Slope, rescue_slope

Arms = tuple[np.ndarray, np.ndarray, np.ndarray]
GENES = 45


def make(
    numbers: tuple[int, int, int] = (4, 4, 4), *, restored: float = 0.4, noise: float = 0.3, seed: int = 3
) -> Arms:
    """Healthy, injured and treated samples: a third of the genes injured, the noisier the lower they are."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(4, 14, GENES)
    spread = noise * rng.uniform(0.5, 1.5, GENES) * np.exp(-0.1 * (mean - 9))
    injury = np.where(np.arange(GENES) % 3 == 0, rng.choice([-1.0, 1.0], GENES), 0.0)
    shifts = (0 * injury, injury, (1 - restored) * injury)
    healthy, injured, treated = (
        mean + shift + spread * rng.normal(size=(number, GENES)) for shift, number in zip(shifts, numbers, strict=True)
    )
    return healthy, injured, treated


def slope_of(arms: Arms, *, level: float = 0.95, **more: object) -> Slope:
    """The slope of three arms."""
    healthy, injured, treated = arms
    return rescue_slope(healthy, injured, treated=treated, level=level, **more)


def numbers_of(slope: Slope) -> list[float]:
    """All its numbers."""
    return [value for value in asdict(slope).values() if not isinstance(value, str)]


def within(values: np.ndarray, columns: np.ndarray, kept: list[int]) -> tuple[np.ndarray, float]:
    """Slopes of some columns in a least-squares fit to kept values, and what squares are left."""
    slopes, *_ = np.linalg.lstsq(columns[kept], values[kept], rcond=None)
    return slopes, float(((values[kept] - columns[kept] @ slopes) ** 2).sum())


def trend_by_hand(expression: np.ndarray, columns: np.ndarray) -> list[float]:
    """Residual variance by mean expression: 15 bins of genes, straight lines between their logarithms."""
    samples = list(range(len(expression)))
    means = [float(gene.mean()) for gene in expression.T]
    variances = [within(gene, columns, samples)[1] / (len(samples) - columns.shape[1]) for gene in expression.T]
    edges = np.quantile(means, [bin_ / 15 for bin_ in range(1, 15)])
    bins = [sum(mean >= edge for edge in edges) for mean in means]
    centres, logs = [], []
    for bin_ in sorted(set(bins)):
        members = [gene for gene in range(len(means)) if bins[gene] == bin_]
        centres.append(sum(means[gene] for gene in members) / len(members))
        logs.append(float(np.log(sum(variances[gene] for gene in members) / len(members))))
    return [float(np.exp(np.interp(mean, centres, logs))) for mean in means]


def pairs_by_hand(arms: Arms, nuisance: np.ndarray) -> tuple[np.ndarray, np.ndarray, float, int]:
    """Numbers (undone, injury), their weights of the samples, noise and degrees of freedom, by explicit loops."""
    expression = np.concatenate(arms)
    labels = np.repeat([0, 1, 2], [len(arm) for arm in arms])
    columns = np.column_stack([labels == 0, labels == 1, labels == 2, nuisance]).astype(float)
    samples, df = len(labels), len(labels) - columns.shape[1]
    trend = trend_by_hand(expression, columns)
    healthy, injured, treated = (list(np.flatnonzero(labels == arm)) for arm in range(3))
    numbers, lines, noise, pairs = np.zeros(2), np.zeros((2, samples)), 0.0, 0
    for a in injured:
        for b in healthy:
            kept = [sample for sample in range(samples) if sample not in (a, b)]
            if np.linalg.matrix_rank(columns[kept]) < columns.shape[1]:
                continue
            weights = []
            for gene in range(expression.shape[1]):
                y = expression[:, gene]
                others_i, others_h = [s for s in injured if s != a], [s for s in healthy if s != b]
                injury = y[others_i].mean() - y[others_h].mean()
                squares = within(y - y.mean(), columns, kept)[1]
                variance = (40 * trend[gene] + squares) / (40 + df - 2)
                error = np.sqrt(variance * (1 / len(others_i) + 1 / len(others_h)))
                weights.append(injury / variance if abs(injury) > 2 * error else 0.0)

            def differences(y: np.ndarray, a: int = a, b: int = b, kept: list[int] = kept) -> np.ndarray:
                slopes = within(y, columns, kept)[0][3:]
                free = y - nuisance @ slopes
                return np.array([free[a] - free[treated].mean(), free[a] - free[b]])

            numbers += sum(
                weight * differences(gene) for weight, gene in zip(weights, expression.T, strict=True) if weight
            )
            lines += np.column_stack([differences(unit) for unit in np.eye(samples)])
            noise += within(expression @ np.array(weights), columns, kept)[1] / (df - 2)
            pairs += 1
    return numbers / pairs, lines / pairs, noise / pairs, df


def leave_out(arms: Arms, nuisance: np.ndarray, *, arm: int, place: int) -> tuple[Arms, np.ndarray]:
    """The arms without one sample."""
    left = tuple(np.delete(part, place, axis=0) if arm == own else part for own, part in enumerate(arms))
    return left, np.delete(nuisance, sum(map(len, arms[:arm])) + place, axis=0)


DESIGNS = {
    "equal arms": ((3, 3, 3), None),
    "unequal arms": ((4, 5, 2), None),
    "a covariate": ((4, 3, 3), np.random.default_rng(5).normal(size=(10, 1))),
    "donors in some arms": ((3, 4, 3), np.eye(4)[[0, 1, 2, 0, 1, 3, 3, 1, 2, 3], :3]),
}


@pytest.mark.parametrize("design", DESIGNS)
def test_a_slope_is_the_one_written_out_by_loops(design: str) -> None:
    """Value, both intervals, injury and its error."""
    numbers, nuisance = DESIGNS[design]
    arms = make(numbers)
    found = slope_of(arms, nuisance=nuisance, level=0.9)
    columns = np.zeros((sum(numbers), 0)) if nuisance is None else nuisance
    (undone, injury), lines, noise, df = pairs_by_hand(arms, columns)
    (v_n, c_nd), (_, v_d) = noise * lines @ lines.T
    square = t.ppf(0.95, df) ** 2
    ends = np.sort(
        np.roots([injury**2 - square * v_d, -2 * (undone * injury - square * c_nd), undone**2 - square * v_n])
    )
    assert (found.state, found.df, found.genes) == (OK, df, GENES)
    np.testing.assert_allclose([found.injury, found.injury_se], [injury, np.sqrt(v_d)], rtol=1e-9)
    np.testing.assert_allclose([found.value, found.low, found.high], [undone / injury, *ends], rtol=1e-8)
    variance = 0.0
    for arm, number in enumerate(numbers):
        each = [pairs_by_hand(*leave_out(arms, columns, arm=arm, place=place))[0] for place in range(number)]
        slopes = np.array([one / other for one, other in each])
        variance += (number - 1) / number * ((slopes - slopes.mean()) ** 2).sum()
    half = norm.ppf(0.95) * np.sqrt(variance)
    np.testing.assert_allclose(
        [found.jackknife_low, found.jackknife_high], found.value + half * np.array([-1, 1]), rtol=1e-8
    )


def test_without_nuisance_the_spread_is_that_of_means() -> None:
    """Shared injured samples: 1 / n_I between the numbers, 1 / n_I + 1 / n_T and 1 / n_I + 1 / n_H for each."""
    _, lines, _, _ = pairs_by_hand(make((3, 4, 2)), np.zeros((9, 0)))
    np.testing.assert_allclose(lines @ lines.T, [[1 / 4 + 1 / 2, 1 / 4], [1 / 4, 1 / 4 + 1 / 3]], rtol=1e-9)


@pytest.mark.parametrize("restored", [-0.5, 0.0, 0.3, 1.0, 1.4])
def test_a_planted_share_without_noise_is_found_exactly(restored: float) -> None:
    """Its intervals are the point."""
    found = slope_of(make(restored=restored, noise=0.0))
    ends = [found.value, found.low, found.high, found.jackknife_low, found.jackknife_high]
    np.testing.assert_allclose(ends, restored, atol=1e-7)
    assert found.state == OK


def test_nuisance_without_noise_is_taken_out_exactly() -> None:
    """Also where it is not balanced over the arms, and where it hits injured genes."""
    rng = np.random.default_rng(8)
    arms, nuisance = make(restored=0.7, noise=0.0), rng.normal(size=(12, 2))
    moved = np.split(np.concatenate(arms) + nuisance @ rng.normal(size=(2, GENES)), 3)
    assert slope_of(moved, nuisance=nuisance).value == pytest.approx(0.7, abs=1e-7)
    assert slope_of(moved).value != pytest.approx(0.7, abs=1e-2)


def test_a_planted_share_with_noise_is_in_the_interval() -> None:
    """And the treated as the injured is nothing restored, as the healthy all of it."""
    for restored in (0.0, 0.5, 1.0):
        found = slope_of(make(restored=restored))
        assert found.low < restored < found.high
        assert found.low < found.value < found.high
        assert found.jackknife_low < found.value < found.jackknife_high


def test_swapping_healthy_and_injured_turns_the_slope_around() -> None:
    """What is restored from one end is left from the other: one minus the slope, its intervals too."""
    healthy, injured, treated = make((4, 5, 3))
    forth, back = slope_of((healthy, injured, treated)), slope_of((injured, healthy, treated))
    expected = [1 - forth.value, 1 - forth.high, 1 - forth.low, 1 - forth.jackknife_high, 1 - forth.jackknife_low]
    ours = [back.value, back.low, back.high, back.jackknife_low, back.jackknife_high]
    np.testing.assert_allclose(ours, expected, rtol=1e-9)
    np.testing.assert_allclose([back.injury, back.injury_se], [forth.injury, forth.injury_se], rtol=1e-9)


def test_the_order_of_samples_and_genes_does_not_matter() -> None:
    """Samples within arms with their covariates, and genes."""
    rng = np.random.default_rng(9)
    arms, nuisance = make((4, 5, 3)), rng.normal(size=(12, 1))
    parts = np.split(nuisance, [4, 9])
    orders = [rng.permutation(len(arm)) for arm in arms]
    genes = rng.permutation(GENES)
    mixed = tuple(arm[order][:, genes] for arm, order in zip(arms, orders, strict=True))
    columns = np.concatenate([part[order] for part, order in zip(parts, orders, strict=True)])
    ours, expected = slope_of(mixed, nuisance=columns), slope_of(arms, nuisance=nuisance)
    np.testing.assert_allclose(numbers_of(ours), numbers_of(expected), rtol=1e-9)


def test_the_scale_of_expression_and_covariates_does_not_matter() -> None:
    """Log2 or natural logarithm; a covariate in days or hours after an origin."""
    rng = np.random.default_rng(9)
    arms, nuisance = make(), rng.normal(size=(12, 1))
    scaled = slope_of(tuple(arm * np.log(2) + 3 for arm in arms), nuisance=24 * nuisance + 1000)
    np.testing.assert_allclose(numbers_of(scaled), numbers_of(slope_of(arms, nuisance=nuisance)), rtol=1e-7)


def test_nuisance_that_says_nothing_new_costs_nothing() -> None:
    """Columns that do not move, batches of other times, and the last of several batches beside the others."""
    batch = np.eye(3)[np.tile([0, 1, 2, 0], 3)]
    still = np.column_stack([np.full(12, 0.1), np.zeros(12)])
    expected = numbers_of(slope_of(make(), nuisance=batch[:, :2]))
    np.testing.assert_allclose(numbers_of(slope_of(make(), nuisance=np.hstack([still, batch]))), expected, rtol=1e-9)
    np.testing.assert_allclose(numbers_of(slope_of(make(), nuisance=still)), numbers_of(slope_of(make())), rtol=1e-9)


def test_arguments_are_not_changed() -> None:
    """Nor need they be arrays of floats."""
    arms, nuisance = make(), np.tile([0, 1], 6)[:, None]
    before = [arm.copy() for arm in arms]
    first, second = slope_of(arms, nuisance=nuisance), slope_of(arms, nuisance=nuisance.astype(float))
    assert first == second
    for arm, copy in zip(arms, before, strict=True):
        np.testing.assert_array_equal(arm, copy)


def test_without_an_injury_nothing_is_reported() -> None:
    """Arms that are the same, arms of noise, and injuries that contradict each other; the injury itself is told."""
    healthy, _, _ = make()
    same = slope_of((healthy, healthy, healthy))
    rng = np.random.default_rng(10)
    noise = slope_of(tuple(rng.normal(8, 0.3, (4, GENES)) for _ in range(3)))
    # One injured sample goes up as far as the others go down, so that each pair contradicts the rest.
    sign = np.array([3.0, -1, -1, -1])[:, None]
    against = slope_of((healthy, healthy.mean(axis=0) + sign * 0.4, healthy))
    for found in (same, noise, against):
        assert found.state == INJURY_NOT_DETECTED
        assert np.isnan([found.value, found.low, found.high, found.jackknife_low, found.jackknife_high]).all()
        assert np.isfinite([found.injury, found.injury_se]).all()


def test_one_treated_sample_has_no_jackknife_interval() -> None:
    """It cannot be left out; Fieller's interval needs no more."""
    found = slope_of(make((4, 4, 1)))
    assert found.state == OK
    assert found.low < 0.4 < found.high
    assert np.isnan([found.jackknife_low, found.jackknife_high]).all()


def test_columns_used_before_cost_degrees_of_freedom() -> None:
    """Nine of twelve samples in three arms, less the columns; errors are larger."""
    plain, used = slope_of(make()), slope_of(make(), columns_used=3)
    assert (plain.df, used.df) == (9, 6)
    assert used.injury_se / used.injury > plain.injury_se / plain.injury
    assert used.high - used.low > plain.high - plain.low


def test_genes_that_do_not_vary_do_no_harm() -> None:
    """Genes without counts at this time are the same in all samples."""
    arms = make()
    still = tuple(np.column_stack([np.full((4, 40), 2.5), arm]) for arm in arms)
    found = slope_of(still)
    assert found.genes == GENES + 40
    assert found.low < 0.4 < found.high


def test_a_higher_level_has_wider_intervals() -> None:
    """Of both kinds."""
    narrow, wide = slope_of(make(), level=0.8), slope_of(make(), level=0.99)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert wide.jackknife_low < narrow.jackknife_low < narrow.jackknife_high < wide.jackknife_high


HEALTHY, INJURED, TREATED = make()


@pytest.mark.parametrize(
    ("arms", "more", "message"),
    [
        ((HEALTHY[:2], INJURED, TREATED), {}, "3 healthy and 3 injured"),
        ((HEALTHY, INJURED[:2], TREATED), {}, "3 healthy and 3 injured"),
        ((HEALTHY, INJURED, TREATED[:0]), {}, "one treated sample, and two for"),
        ((HEALTHY, INJURED[:, 1:], TREATED), {}, "same genes"),
        ((HEALTHY, INJURED, TREATED[0]), {}, "samples x genes"),
        ((HEALTHY[:, :0], INJURED[:, :0], TREATED[:, :0]), {}, "samples x genes"),
        ((HEALTHY, INJURED, np.where(TREATED < 6, np.nan, TREATED)), {}, "finite"),
        ((HEALTHY, INJURED, TREATED), {"columns_used": 7}, "degrees of freedom"),
        ((HEALTHY, INJURED, TREATED), {"nuisance": np.ones((11, 1))}, "a row for each sample"),
        ((HEALTHY, INJURED, TREATED), {"nuisance": np.full((12, 1), np.nan)}, "finite"),
        ((HEALTHY, INJURED, TREATED), {"nuisance": np.repeat([0.1, 0.1, 0.7], 4)[:, None]}, "told from the arms"),
        ((HEALTHY, INJURED, TREATED), {"nuisance": np.eye(4)[[0, 1] * 2 + [2, 3] * 4]}, "told from the arms"),
        ((HEALTHY, INJURED, TREATED), {"nuisance": np.eye(12)[:, 4:7]}, "need two samples each"),
    ],
)
def test_arms_that_cannot_be_compared_are_refused(arms: Arms, more: dict[str, object], message: str) -> None:
    """With what is needed."""
    with pytest.raises(ValueError, match=message):
        slope_of(arms, **more)
