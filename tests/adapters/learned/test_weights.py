"""How what was learned is read: regressions, trees, and both together."""

from math import log

import pytest

from discubot_pipeline.adapters.learned.weights import Counts, Judge, Measures, Trees, learned

STUMP = [(0, 0.5, 1, 2, 0.0), (-1, 0.0, 0, 0, -1.0), (-1, 0.0, 0, 0, 2.0)]


def test_a_word_that_was_never_learned_says_nothing() -> None:
    """Only known features count."""
    assert Counts(0.5, {"please": 1.0}).odds({"please": 2.0, "unheard": 9.0}) == 2.5


def test_a_tree_goes_left_up_to_its_value() -> None:
    """A feature that is not there counts as 0."""
    trees = Trees(0.25, ["words"], [STUMP])
    assert trees.odds({}) == trees.odds({"words": 0.5}) == -0.75
    assert trees.odds({"words": 0.6}) == 2.25


def test_a_number_counts_by_its_distance_from_the_mean() -> None:
    """One deviation above the mean adds the weight once."""
    measures = Measures(0.0, {"words": (4.0, 2.0, 1.5)})
    assert measures.odds({"words": 6.0}) == pytest.approx(1.5)
    assert measures.odds({}) == pytest.approx(-3.0)


def test_a_judge_takes_the_middle_of_both() -> None:
    """Log odds of 1 and of 2.25 make 1.625."""
    judge = Judge(Measures(1.0, {}), Trees(0.25, ["words"], [STUMP]))
    chance = judge.chance({"words": 1.0})
    assert log(chance / (1 - chance)) == pytest.approx(1.625)


def test_the_weights_are_read_once() -> None:
    """They are large, and never change while a process lives."""
    assert learned() is learned()
