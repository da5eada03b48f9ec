"""What is learned is what the package reads: plain numbers that say the same as the library they come from."""

import json

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction import DictVectorizer

from bench.analysis.cases import load
from bench.analysis.lessons import Lesson
from bench.analysis.train import SHAPE, SMALL, learn, plain, trees
from discubot_pipeline.adapters.learned.encoder import encoder
from discubot_pipeline.adapters.learned.hearing import listen
from discubot_pipeline.adapters.learned.traits import Features
from discubot_pipeline.adapters.learned.weights import Trees, Weights

SOME = 5


def test_trees_say_the_same_in_plain_python() -> None:
    """Trees that went through JSON give the log odds of the library that grew them."""
    random = np.random.default_rng(0)
    rows: list[Features] = [{"a": float(one), "b": float(other)} for one, other in random.normal(size=(300, 2))]
    answers = [int(row["a"] * row["b"] > 0) for row in rows]
    table = DictVectorizer(sparse=False).fit_transform(rows)
    library = HistGradientBoostingClassifier(**SHAPE, **SMALL).fit(table, answers).decision_function(table)
    ours = Trees(**json.loads(json.dumps(plain(trees(rows, answers, SMALL)))))
    assert [ours.odds(row) for row in rows] == pytest.approx([*library], abs=0.01)


def test_what_is_learned_can_be_read() -> None:
    """Weights learned from a few threads of each writer are whole."""
    cases = [case for name in ("dev", "w1", "w2", "w3") for case in load(name)[:SOME]]
    lessons = [Lesson.of(case) for case in cases]
    fitted = json.loads(json.dumps(plain(learn(lessons, lambda lesson: listen(lesson.talk, encoder())))))
    assert {*Weights.of(fitted).first} == {"part", "takes", "supports", "talk", "clause"}


def test_a_clause_that_points_back_teaches_what_it_means() -> None:
    """Of the clauses before it, those that name the labelled work are right."""
    found = [pair for case in load("dev")[:40] for pair in Lesson.of(case).antecedents()]
    assert {answer for _, answer in found} == {0, 1}
