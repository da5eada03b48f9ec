"""The encoder hears what its weights were tuned for, whichever stretch of a thread is read."""

import numpy as np
import pytest

from discubot_pipeline.adapters.learned import pieces
from discubot_pipeline.adapters.learned.antecedents import completed
from discubot_pipeline.adapters.learned.encoder import ENCODER, Linear, Norm, encoder, gelu, softmax
from discubot_pipeline.adapters.learned.hearing import listen
from discubot_pipeline.adapters.learned.standing import LEAST
from discubot_pipeline.adapters.learned.weights import learned
from tests.adapters.learned.test_antecedents import talk
from tests.adapters.rules.briefs import Line

LARGEST = 20_000_000
ASKED: tuple[Line, ...] = (("Ann", "Could you fix the header on the pricing page?"), ("Bob", "on it"))
DONE: tuple[Line, ...] = (("Ann", "I fixed the header on the pricing page yesterday"), ("Bob", "looks great"))
TALK: tuple[Line, ...] = (("Ann", "Anybody seen the match?"), ("Bob", "what a goal"))


def test_work_is_heard_where_somebody_takes_it() -> None:
    """And not where it is done."""
    asked, done = (listen(talk(*lines), encoder()) for lines in (ASKED, DONE))
    assert max(asked.clauses) > 0 > max(done.clauses)
    assert asked.talk > 0 > done.talk
    assert asked.takes[1] > asked.takes[0]


def test_of_a_long_thread_each_stretch_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in the middle of a lot of talk, which is more than is read at once."""
    heard = talk(*TALK * 20, *ASKED, *TALK * 20)
    looks = listen(heard, encoder())
    said = dict(zip(heard.clauses, looks.clauses, strict=True))
    assert max(said, key=lambda each: said[each]).turn.place == len(TALK) * 20
    assert LEAST not in looks.clauses
    assert LEAST not in looks.part
    monkeypatch.setattr(pieces, "MOST", 200)
    assert dict(zip(heard.clauses, listen(heard, encoder()).clauses, strict=True))[heard.clauses[0]] == LEAST


def test_a_thread_without_words_is_heard_too() -> None:
    """There is nothing to be said of clauses."""
    assert listen(talk(("Ann", "👍"), ("Bob", "🎉")), encoder()).clauses == ()


def test_copies_of_a_clause_are_heard_as_one() -> None:
    """A clause that points back also stands joined with what it means; its own words are the same."""
    heard = completed(
        talk(("Ann", "The header on the pricing page is broken"), ("Bob", "I'll fix it")), learned().about
    )
    said = dict(zip(heard.clauses, listen(heard, encoder()).clauses, strict=True))
    copies = [each for each in heard.clauses if each.about]
    own = {each.stretch: look for each, look in said.items() if not each.about}
    assert copies
    assert all(said[each] == own[each.stretch] > LEAST for each in copies)


def test_whole_numbers_stand_for_real_ones() -> None:
    """A matrix of whole numbers, times its scale, plus something."""
    linear = Linear(np.array([[1, -2], [3, 4]], np.int8), np.array([0.5, 2], np.float32), np.array([1, 0], np.float32))
    assert linear(np.array([[1, 1]], np.float32)).tolist() == [[3.0, 4.0]]


def test_the_usual_functions() -> None:
    """By values that are known."""
    assert softmax(np.zeros((1, 4), np.float32)).tolist() == [[0.25] * 4]
    assert gelu(np.array([0.0, 1.0, -1.0], np.float32)).tolist() == pytest.approx([0.0, 0.8412, -0.1588], abs=1e-3)
    normal = Norm(np.ones(2, np.float32), np.zeros(2, np.float32))(np.array([[1.0, 3.0]], np.float32))
    assert normal.tolist() == [pytest.approx([-1.0, 1.0])]


def test_the_package_stays_small() -> None:
    """All that was learned lies in two files."""
    assert sum(path.stat().st_size for path in (ENCODER, ENCODER.with_name("weights.json.gz"))) < LARGEST
