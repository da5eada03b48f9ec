"""A thread in word pieces: cut like the model's own, people told apart, long threads a stretch at a time."""

from itertools import pairwise

import pytest

from discubot_pipeline.adapters.learned import pieces as module
from discubot_pipeline.adapters.learned.pieces import (
    ATOM,
    BREAK,
    DONE,
    ITEM,
    OPEN,
    PEOPLE,
    START,
    STRANGER,
    UNKNOWN,
    Part,
    Pieces,
    Scribe,
    middles,
    windows,
)
from tests.adapters.learned.test_antecedents import clause, talk
from tests.adapters.rules.briefs import Line

WORDS = [
    *("fix", "the", "header", "head", "##er", "##s", "cafe", "thumbs", "up", "sign", "and", "done", "by", "on", "it"),
    *(",", ".", "@", "(", ")"),
]
NAMES = [START, UNKNOWN, BREAK, *PEOPLE, STRANGER, ATOM, ITEM, DONE, OPEN, *WORDS]


def written(*lines: Line) -> list[list[str]]:
    """Write a thread down; gives its parts by the names of their pieces."""
    return [[NAMES[number] for number in part.pieces] for part in Scribe(Pieces(NAMES)).parts(talk(*lines))]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("header", ["header"]),
        ("Headers", ["header", "##s"]),
        ("heads", ["head", "##s"]),
        ("Café", ["cafe"]),
        ("hex", [UNKNOWN]),
        ("👍", ["thumbs", "up", "sign"]),
        ("header" * 10, [UNKNOWN]),
    ],
)
def test_words_are_cut_into_the_longest_pieces(word: str, expected: list[str]) -> None:
    """From the left; what cannot be cut is unknown as a whole, and an emoji is its name."""
    assert [NAMES[number] for number in Pieces(NAMES).of(word)] == expected


def test_people_are_the_same_piece_wherever_they_come_up() -> None:
    """As who writes and as who is named; code is one piece."""
    first, second = written(("Ann", "Bob fix the header"), ("Bob", "on it, Ann, by `make`"))
    assert first == [PEOPLE[0], PEOPLE[1], "fix", "the", "header", BREAK]
    assert second == [PEOPLE[1], "on", "it", ",", PEOPLE[0], ",", "by", ATOM, BREAK]


def test_boxes_and_items_are_told_apart() -> None:
    """A ticked box, an open one and an item of a list."""
    [parts] = written(("Ann", "[x] fix it\n[ ] fix the header\n- the head"))
    assert [each for each in parts if each in (DONE, OPEN, ITEM)] == [DONE, OPEN, ITEM]


def test_a_long_message_is_read_in_parts() -> None:
    """Each begins with who wrote it; no sentence is cut in two."""
    parts = written(("Ann", " ".join(["Fix the header and the head and it."] * 40)))
    assert len(parts) > 2
    assert all(part[0] == PEOPLE[0] and part[-1] == BREAK for part in parts)
    assert all(part[-2] == "." and len(part) <= module.LONGEST_PART + 2 for part in parts)


def test_of_a_very_long_thread_the_end_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said last decides what is still to be done."""
    monkeypatch.setattr(module, "MOST", 10)
    assert written(("Ann", "fix the head"), ("Bob", "done"), ("Ann", "fix it")) == [
        [PEOPLE[1], "done", BREAK],
        [PEOPLE[0], "fix", "it", BREAK],
    ]


def test_a_clause_lies_in_its_pieces() -> None:
    """Without those of its neighbours."""
    heard = talk(("Ann", "fix the header, and the head is done by Bob"), ("Bob", "on it"))
    part = Scribe(Pieces(NAMES)).parts(heard)[0]
    assert spelled(part, part.span_of(clause(heard, "Fix the header"))) == ["fix", "the", "header"]


def spelled(part: Part, span: tuple[int, int]) -> list[str]:
    """Spell pieces out."""
    return [NAMES[number] for number in part.pieces[slice(*span)]]


@pytest.mark.parametrize("sizes", [[5], [100, 100], [200] * 5, [40] * 50, [250, 3, 250, 3], [10, 300, 10], []])
def test_windows_hold_every_part_and_each_part_is_at_home_in_one(sizes: list[int]) -> None:
    """No window is longer than what is read at once, unless a single part is; all go on."""
    found = windows(sizes)
    assert {part for window in found for part in window} == {*range(len(sizes))}
    assert all(sum(sizes[part] for part in window) <= module.WINDOW or len(window) == 1 for window in found)
    assert all(one.start < other.start and one.stop < other.stop for one, other in pairwise(found))
    homes = middles(found, sizes)
    assert all(part in found[home] for part, home in enumerate(homes))
    assert homes == sorted(homes)
