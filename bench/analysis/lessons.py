"""What the labelled threads teach: each thread as the learned reader sees it, and what would have been right there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from bench.analysis.cases import Case
from bench.analysis.matching import likeness
from discubot_pipeline.adapters.learned.antecedents import antecedents, completed, is_weak, joined, of_antecedent
from discubot_pipeline.adapters.learned.choice import Candidate
from discubot_pipeline.adapters.learned.talk import Clause, Talk, hear
from discubot_pipeline.adapters.learned.traits import Features
from discubot_pipeline.adapters.learned.weights import Measures
from discubot_pipeline.adapters.rules.people import People
from discubot_pipeline.adapters.rules.sentences import read
from discubot_pipeline.domain.analysis import DetectedTask

FOLDS = 3


@dataclass(frozen=True)
class Lesson:
    """A labelled thread with, for each clause, how much it is like each label."""

    case: Case
    talk: Talk
    likes: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, case: Case) -> "Lesson":
        """Read a thread."""
        messages = case.brief.messages
        talk = hear(messages, read(messages, People(case.brief)))
        return cls(case, talk, tuple(_likes(case, clause, clause.title) for clause in talk.clauses))

    def completed(self, about: Measures) -> "Lesson":
        """Add the clauses that say what others point to."""
        talk = completed(self.talk, about)
        return Lesson(self.case, talk, tuple(_likes(self.case, clause, clause.title) for clause in talk.clauses))

    def antecedents(self) -> Iterator[tuple[Features, int]]:
        """Describe what each clause that belongs to work may point to, and say whether that names the work."""
        evidence = {place for label in self.case.labels for place in label.evidence}
        for clause in self.talk.clauses:
            if clause.turn.message.id in evidence and is_weak(clause):
                others = antecedents(self.talk.clauses, clause)
                answers = [int(any(_likes(self.case, clause, joined(clause, other)))) for other in others]
                if len({*answers}) > 1:
                    yield from zip((of_antecedent(self.talk, clause, each) for each in others), answers, strict=True)

    @property
    def group(self) -> str:
        """Name who wrote it: threads of one writer are never on both sides of a cross-validation."""
        return self.case.id.partition("-")[0]

    @cached_property
    def is_work(self) -> list[int]:
        """Say of each clause whether it names work."""
        return [int(any(likes)) for likes in self.likes]

    @cached_property
    def is_part(self) -> list[int]:
        """Say of each turn whether it is evidence of work."""
        evidence = {place for label in self.case.labels for place in label.evidence}
        return [int(turn.message.id in evidence) for turn in self.talk.turns]

    @cached_property
    def is_taking(self) -> list[int]:
        """Say of each turn whether it is evidence of work that its author owns."""
        owners = [(label.evidence, {*label.assignee}) for label in self.case.labels]
        return [
            int(any(turn.message.id in evidence and turn.message.author.name in names for evidence, names in owners))
            for turn in self.talk.turns
        ]

    @cached_property
    def is_support(self) -> list[int]:
        """Say of each turn whether it is evidence of work that it does not name."""
        naming = {clause.turn.place for clause, work in zip(self.talk.clauses, self.is_work, strict=True) if work}
        return [int(part and place not in naming) for place, part in enumerate(self.is_part)]

    def likes_of(self, candidate: Candidate) -> tuple[float, ...]:
        """Give how much a candidate is like each label."""
        return self.likes[self.talk.clauses.index(candidate.clause)]

    def matched(self, chosen: Sequence[Candidate]) -> int:
        """Count the labels that so many candidates can be paired with, each at most once."""
        holders: dict[int, int] = {}
        likes = [self.likes_of(each) for each in chosen]

        def place(row: int, seen: set[int]) -> bool:
            for column, like in enumerate(likes[row]):
                if like and column not in seen:
                    seen.add(column)
                    if column not in holders or place(holders[column], seen):
                        holders[column] = row
                        return True
            return False

        return sum(place(row, set()) for row in range(len(chosen)))

    def owner_answers(self, candidate: Candidate) -> tuple[str | None, ...] | None:
        """Give who may own the work that a candidate names; None where it names none."""
        likes = self.likes_of(candidate)
        return self.case.labels[likes.index(max(likes))].assignee if any(likes) else None


def groups(lessons: Iterable[Lesson]) -> list[frozenset[str]]:
    """Cut the writers into groups: what is learned of one group's threads is said by what has not seen the group."""
    writers = sorted({each.group for each in lessons})
    return [frozenset(writers[place::FOLDS]) for place in range(min(FOLDS, len(writers)))]


def _likes(case: Case, clause: Clause, title: str) -> tuple[float, ...]:
    task = DetectedTask(title=title, evidence=clause.turn.message.id)
    return tuple(likeness(label, task) for label in case.labels)
