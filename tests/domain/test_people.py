"""Who a person is in Notion, by address and by name."""

import pytest

from discubot_pipeline.domain.people import Match, NotionUser, find, likeness


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("Anna de Vries", "anna  DE vries", 1.0),
        ("Ｊosé", "josé", 1.0),
        ("@anna", "Anna", 1.0),
        ("Anna", "Anna de Vries", 0.8),
        ("Anna de Vries (Design)", "Anna de Vries", 0.8),
        ("Anna Smit", "Anna de Vries", 0.6),
        ("Ben Carter", "Ann Carter", 0.5),
        ("Ann", "Joanna", 0.0),
        ("Ben", "Anna", 0.0),
        ("", "Anna", 0.0),
        ("", "", 0.0),
    ],
)
def test_likeness(one: str, other: str, score: float) -> None:
    """Equal 1, containing .8, same first name .6, same last name .5; whole words, either way round."""
    assert likeness(one, other) == likeness(other, one) == score


ANNA = NotionUser(id="a", name="Anna de Vries", email="anna@acme.example")
BEN = NotionUser(id="b", name="Ben Carter")
TWIN = NotionUser(id="t", name="Anna de Boer")


def test_an_address_goes_before_a_name() -> None:
    """The same address is the same person, whatever the names say."""
    found = find("Ben Carter", "ANNA@acme.example", [BEN, ANNA])
    assert found is not None
    assert (found.user, found.match, found.confidence) == (ANNA, Match.EMAIL, 1.0)


def test_a_name_must_be_alike_enough() -> None:
    """The threshold may be lowered; below it there is nobody."""
    assert find("Anna Smit", None, [ANNA, BEN]) is None
    found = find("Anna Smit", None, [ANNA, BEN], threshold=0.6)
    assert found is not None
    assert (found.user, found.match, found.confidence) == (ANNA, Match.NAME, 0.6)


def test_two_as_good_are_nobody() -> None:
    """Rather nobody than the wrong person."""
    assert find("Anna", None, [ANNA, TWIN, BEN]) is None
    assert (
        find("x", "same@acme.example", [each.model_copy(update={"email": "same@acme.example"}) for each in (ANNA, BEN)])
        is None
    )


def test_a_threshold_of_nothing_finds_nobody_unlike() -> None:
    """Names without a word in common never match."""
    assert find("Zoë", None, [BEN], threshold=0) is None
