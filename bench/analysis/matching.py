"""Which found task is which labelled one: the match rule, and the best pairing of all tasks of a thread."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from bench.analysis.cases import Label, Outcome
from discubot_pipeline.domain.analysis import DetectedTask

SAME_WORDS = 0.5
"""Overlap of words from which two titles name the same task."""
SAME_PLACE = 0.25
"""Overlap that is enough where both come from the same message."""
STOP_WORDS = """
a an the of to in on at by for from with and or is are be it its this that these those them i i'll we you me my our
your will would can could should please pls do does we'll let's let up so as
der die das den dem ein eine einen und für zu im am
de het een en voor
le la les un une des du et pour
el los las una y para del que
"""
STOP = frozenset(STOP_WORDS.split())
WORD = re.compile(r"[\w#./'-]*\w")


@dataclass(frozen=True)
class Pairing:
    """All tasks of a thread, sorted into right ones, missed ones and false ones."""

    outcome: Outcome
    pairs: tuple[tuple[Label, DetectedTask], ...]
    missed: tuple[Label, ...]
    false: tuple[DetectedTask, ...]


def words(title: str) -> frozenset[str]:
    """Give the words of a title that carry meaning, without accents and English plural or verb endings."""
    flat = unicodedata.normalize("NFKD", title.lower())
    plain = "".join(each for each in flat if not unicodedata.combining(each)).replace("’", "'")
    found = [word.strip("'./-") for word in WORD.findall(plain)]
    return frozenset(_stem(word) for word in found if word and word not in STOP)


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "s"):
        if len(word) - len(ending) >= 4 and word.endswith(ending):
            return word.removesuffix(ending).rstrip("e")
    return word.rstrip("e") if len(word) > 4 else word


def overlap(one: str, other: str) -> float:
    """Give the Dice coefficient of two titles' words: 0 for none in common, 1 for the same."""
    left, right = words(one), words(other)
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def likeness(label: Label, task: DetectedTask) -> float:
    """Tell how much a found task is like a labelled one; 0 when they are not the same task."""
    best = max(overlap(title, task.title) for title in label.titles)
    same_place = task.evidence in label.evidence
    if best >= SAME_WORDS or (same_place and best >= SAME_PLACE):
        return best + (0.5 if same_place else 0.0)
    return 0.0


def pair(outcome: Outcome) -> Pairing:
    """Pair found with labelled tasks, each at most once, so that the sum of their likeness is the greatest."""
    labels, found = outcome.case.labels, outcome.found
    table = [[likeness(label, task) for label in labels] for task in found]

    @cache
    def best(row: int, taken: int) -> tuple[float, tuple[tuple[int, int], ...]]:
        if row == len(found):
            return 0.0, ()
        choice = best(row + 1, taken)
        for column, value in enumerate(table[row]):
            if value and not taken >> column & 1:
                rest, pairs = best(row + 1, taken | 1 << column)
                choice = max(choice, (value + rest, ((row, column), *pairs)))
        return choice

    _, chosen = best(0, 0)
    rows, columns = {row for row, _ in chosen}, {column for _, column in chosen}
    return Pairing(
        outcome,
        pairs=tuple((labels[column], found[row]) for row, column in chosen),
        missed=tuple(label for column, label in enumerate(labels) if column not in columns),
        false=tuple(task for row, task in enumerate(found) if row not in rows),
    )
