"""Running sums: their ends, their definition, and what has none."""

import numpy as np
import pandas as pd
import pytest

from exoliver.running_sum import sum_along, turning_points

RANKING = pd.Series([3.0, 2.0, 1.0, -1.0, -2.0], index=list("abcde"))


def test_members_gain_by_their_statistic_and_others_lose_alike() -> None:
    """Worked by hand: a and e weigh 3 and 2 of 5, the three others take off a third each."""
    np.testing.assert_allclose(sum_along(RANKING, ["a", "e"]), [0.6, 0.6 - 1 / 3, 0.6 - 2 / 3, -0.4, 0.0], atol=1e-15)


def test_it_ends_at_zero() -> None:
    """All that is gained is lost."""
    for members in (["a"], ["b", "c"], ["c", "d", "e"]):
        assert sum_along(RANKING, members)[-1] == pytest.approx(0)


def test_a_reversed_ranking_gives_the_mirror_image() -> None:
    """High sets become low ones."""
    upside_down = pd.Series(-RANKING.to_numpy()[::-1], index=RANKING.index[::-1])
    forwards, backwards = sum_along(RANKING, ["a", "c"]), sum_along(upside_down, ["a", "c"])
    np.testing.assert_allclose(backwards[:-1], -forwards[:-1][::-1], atol=1e-15)


def test_symbols_that_are_not_ranked_take_no_part() -> None:
    """A member without a statistic changes nothing."""
    np.testing.assert_array_equal(sum_along(RANKING, ["a", "zz"]), sum_along(RANKING, ["a"]))


@pytest.mark.parametrize("members", [[], ["zz"], list("abcde")], ids=["none", "unranked", "all"])
def test_what_has_no_running_sum_is_refused(members: list[str]) -> None:
    """No member, or nothing beside them."""
    with pytest.raises(ValueError, match="running sum"):
        sum_along(RANKING, members)


def test_turning_points_are_the_ends_the_members_and_the_genes_before_them() -> None:
    """Each once, in order; a first gene that is a member has nothing before it."""
    total = sum_along(RANKING, ["a", "d"])
    assert turning_points(total, np.array([0, 3])).tolist() == [0, 2, 3, 4]
