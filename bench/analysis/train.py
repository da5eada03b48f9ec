"""Learns the weights of the built-in analyst from the labelled threads: `python -m bench.analysis.train DIR`.

DIR holds what `bench.analysis.tune` made. `--leave-out w2 b --to FILE` learns without some writers; `python -m bench
analysis --set w2 --weights FILE --encoder DIR/encoder0.npz` then tells what the rest is worth for threads of one of
them, where the encoder was tuned without them too.
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import is_dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from bench.analysis.cases import WRITERS, load
from bench.analysis.lessons import Lesson, groups
from discubot_pipeline.adapters.learned.choice import Candidate, candidates, of_choice, of_pair
from discubot_pipeline.adapters.learned.encoder import Encoder
from discubot_pipeline.adapters.learned.hearing import listen
from discubot_pipeline.adapters.learned.owners import likely_owners, of_owner
from discubot_pipeline.adapters.learned.reader import look
from discubot_pipeline.adapters.learned.standing import Looks, Standing
from discubot_pipeline.adapters.learned.traits import Features, of_clause, of_talk, of_turn
from discubot_pipeline.adapters.learned.weights import CLIP, WEIGHTS, Counts, Judge, Measures, Trees

ABOUT, TURN, TALK, CLAUSE = 0.05, 0.3, 0.3, 0.15
WORK, SAME, NEW, OWNER = 0.003, 0.02, 0.003, 0.1
"""How much each regression may trust single features: the inverse strength of its ridge."""

LARGE: Final = {"max_iter": 120, "learning_rate": 0.06, "max_leaf_nodes": 12, "min_samples_leaf": 30}
SMALL: Final = {"max_iter": 60, "learning_rate": 0.08, "max_leaf_nodes": 8, "min_samples_leaf": 25}
SHAPE: Final = {"l2_regularization": 5.0, "max_features": 0.3, "early_stopping": False, "random_state": 0}
"""How the trees grow."""

FEWEST = 2
"""A word has to occur in so many places."""

HARD = 0.5
THRESHOLD: Final = 0.4

Fitted = dict[str, Any]
Seen = tuple[Lesson, Looks, Looks, list[Features]]
Found = tuple[Lesson, Looks, Looks, list[Candidate]]
Hear = Callable[[Lesson], Looks]


def counts(rows: Sequence[Features], answers: Sequence[int], ridge: float) -> Counts:
    """Fit a regression over counted words."""
    often = Counter(name for row in rows for name in row)
    kept = [{name: value for name, value in row.items() if often[name] >= FEWEST} for row in rows]
    vectorizer = DictVectorizer(dtype=np.float64)
    table = vectorizer.fit_transform(kept)
    table.indices, table.indptr = table.indices.astype("int32"), table.indptr.astype("int32")
    fitted = LogisticRegression(C=ridge, solver="liblinear", random_state=0).fit(table, answers)
    named = zip(vectorizer.get_feature_names_out(), fitted.coef_[0], strict=True)
    return Counts(
        round(float(fitted.intercept_[0]), 4), {name: round(float(w), 4) for name, w in named if abs(w) > 2e-4}
    )


def measures(rows: Sequence[Features], answers: Sequence[int], ridge: float) -> Measures:
    """Fit a regression over numbers."""
    vectorizer = DictVectorizer(sparse=False)
    table = vectorizer.fit_transform(rows)
    mean, deviation = table.mean(axis=0), table.std(axis=0)
    deviation[deviation == 0] = 1
    scaled = np.clip((table - mean) / deviation, -CLIP, CLIP)
    fitted = LogisticRegression(C=ridge, max_iter=1000).fit(scaled, answers)
    columns = zip(vectorizer.get_feature_names_out(), mean, deviation, fitted.coef_[0], strict=True)
    terms = {name: tuple(round(float(each), 5) for each in column) for name, *column in columns}
    return Measures(round(float(fitted.intercept_[0]), 5), terms)


def trees(rows: Sequence[Features], answers: Sequence[int], shape: dict[str, Any]) -> Trees:
    """Grow decision trees over numbers."""
    vectorizer = DictVectorizer(sparse=False)
    table = vectorizer.fit_transform(rows)
    grown = HistGradientBoostingClassifier(**SHAPE, **shape).fit(table, answers)
    fields = ("feature_idx", "num_threshold", "left", "right", "value")
    nodes = [[predictor.nodes[name].tolist() for name in fields] for (predictor,) in grown._predictors]
    leaves = [predictor.nodes["is_leaf"].tolist() for (predictor,) in grown._predictors]
    return Trees(
        round(float(grown._baseline_prediction[0, 0]), 5),
        [str(name) for name in vectorizer.get_feature_names_out()],
        [
            [_node(*node) for node in zip(ends, *columns, strict=True)]
            for ends, columns in zip(leaves, nodes, strict=True)
        ],
    )


def judge(rows: Sequence[Features], answers: Sequence[int], ridge: float, shape: dict[str, Any]) -> Judge:
    """Fit a regression and trees over the same numbers."""
    return Judge(measures(rows, answers, ridge), trees(rows, answers, shape))


def _node(
    is_leaf: bool, feature: int, most: float, left: int, right: int, value: float
) -> tuple[int, float, int, int, float]:
    return (-1, 0.0, 0, 0, round(value, 5)) if is_leaf else (feature, most, left, right, 0.0)


def first_look(lessons: Sequence[Lesson]) -> dict[str, Counts]:
    """Learn to look at words."""
    turns = [of_turn(each.talk, turn) for each in lessons for turn in each.talk.turns]
    named = [
        (of_clause(each.talk, clause), answer)
        for each in lessons
        for clause, answer in zip(each.talk.clauses, each.is_work, strict=True)
        if not clause.about
    ]
    return {
        "part": counts(turns, [answer for each in lessons for answer in each.is_part], TURN),
        "takes": counts(turns, [answer for each in lessons for answer in each.is_taking], TURN),
        "supports": counts(turns, [answer for each in lessons for answer in each.is_support], TURN),
        "talk": counts(
            [of_talk(each.talk) for each in lessons], [int(bool(each.case.labels)) for each in lessons], TALK
        ),
        "clause": counts([row for row, _ in named], [answer for _, answer in named], CLAUSE),
    }


def seen(lessons: Iterable[Lesson], learned: dict[str, Counts], hear: Hear) -> list[Seen]:
    """Look at threads and hear them; gives how each of their clauses stands."""
    return [_seen(each, learned, hear) for each in lessons if each.talk.clauses]


def _seen(lesson: Lesson, learned: dict[str, Counts], hear: Hear) -> Seen:
    looks, heard = look(lesson.talk, learned), hear(lesson)
    standing = Standing(lesson.talk, looks, heard, lesson.case.brief.time_zone)
    return lesson, looks, heard, [standing.of(place) for place in range(len(lesson.talk.clauses))]


def work(threads: Sequence[Seen]) -> Judge:
    """Learn which clauses name work, from how they stand."""
    rows = [row for *_, rows in threads for row in rows]
    return judge(rows, [answer for lesson, *_ in threads for answer in lesson.is_work], WORK, LARGE)


def about(lessons: Iterable[Lesson]) -> Measures:
    """Learn what a clause points to."""
    found = [pair for each in lessons for pair in each.antecedents()]
    return measures([row for row, _ in found], [answer for _, answer in found], ABOUT)


def learn(raw: Sequence[Lesson], hear: Hear) -> Fitted:
    """Learn everything. What one step tells the next is always said by weights that have not seen the writer; so must
    be what the encoder says, which `hear` gives.
    """
    pointing = about(raw)
    lessons = [each.completed(pointing) for each in raw]
    folds = [
        seen(
            _of(lessons, lambda name, group=group: name in group),
            first_look(_of(lessons, lambda n, g=group: n not in g)),
            hear,
        )
        for group in groups(lessons)
    ]
    found: list[Found] = []
    for place, fold in enumerate(folds):
        rest = work([thread for other, each in enumerate(folds) if other != place for thread in each])
        found += [(lesson, looks, heard, _candidates(lesson, rows, rest)) for lesson, looks, heard, rows in fold]
    same = _same(found)
    return {
        "about": pointing,
        "first": first_look(lessons),
        "work": work([thread for fold in folds for thread in fold]),
        "same": same,
        "new": _new(found, same),
        "owner": _owner(found),
        "threshold": THRESHOLD,
    }


def _of(lessons: Sequence[Lesson], is_in: Callable[[str], bool]) -> list[Lesson]:
    return [each for each in lessons if is_in(each.group)]


def _candidates(lesson: Lesson, rows: list[Features], work: Judge) -> list[Candidate]:
    return candidates(lesson.talk.clauses, [*map(work.chance, rows)], rows)


def _same(found: Iterable[Found]) -> Judge:
    """Learn which two clauses name the same work: those that can only be paired with one label."""
    rows: list[Features] = []
    answers: list[int] = []
    for lesson, *_, all_of in found:
        right = [each for each in all_of if any(lesson.likes_of(each))]
        for one, other in combinations(right, 2):
            if not one.clause.crosses(other.clause):
                rows.append(of_pair(one, other, all_of))
                answers.append(int(lesson.matched([one, other]) == 1))
    return judge(rows, answers, SAME, SMALL)


def _new(found: Iterable[Found], same: Judge) -> Judge:
    """Learn, along the way that choosing goes, which candidates add a label to those that are paired already."""
    rows: list[Features] = []
    answers: list[int] = []
    for lesson, *_, all_of in found:
        chosen: list[Candidate] = []
        for each in all_of:
            if any(each.clashes(other) for other in chosen):
                continue
            likeness = [same.chance(of_pair(each, other, all_of)) for other in chosen]
            gains = lesson.matched([*chosen, each]) > lesson.matched(chosen)
            rows.append(of_choice(each, chosen, likeness, all_of))
            answers.append(int(gains))
            if gains or (each.chance >= HARD and not any(lesson.likes_of(each))):
                chosen.append(each)
    return judge(rows, answers, NEW, SMALL)


def _owner(found: Iterable[Found]) -> Measures:
    """Learn whose the work is."""
    rows: list[Features] = []
    answers: list[int] = []
    for lesson, looks, _, all_of in found:
        for each in all_of:
            owners = lesson.owner_answers(each)
            for person in likely_owners(lesson.talk, each.clause) if owners else ():
                rows.append(of_owner(lesson.talk, looks, each.clause, person))
                answers.append(int(person in (owners or ())))
    return measures(rows, answers, OWNER)


def plain(fitted: Any) -> Any:
    """Write what was learned as JSON holds it."""
    if isinstance(fitted, dict):
        return {name: plain(value) for name, value in fitted.items()}
    return plain(vars(fitted)) if is_dataclass(fitted) else fitted


def by_writer(writers: Iterable[str], folder: Path) -> dict[str, Encoder]:
    """Give for each writer an encoder that was tuned without them, if there is one."""
    known = {Encoder(path): {*np.load(path)["writers"].tolist()} for path in sorted(folder.glob("*.npz"))}
    free = {writer: [each for each, seen in known.items() if writer not in seen] for writer in writers}
    return {writer: encoders[0] for writer, encoders in free.items() if encoders}


def main() -> None:
    """Learn from all threads and write the weights."""
    parser = argparse.ArgumentParser(prog="python -m bench.analysis.train", description=__doc__)
    parser.add_argument("folder", type=Path, help="what `bench.analysis.tune` made without each group of writers")
    parser.add_argument("--leave-out", nargs="*", choices=["dev", *WRITERS], default=(), help="learn nothing of them")
    parser.add_argument("--to", type=Path, default=WEIGHTS, metavar="FILE", help="where to (the package)")
    options = parser.parse_args()
    lessons = [Lesson.of(case) for name in ("dev", "train") for case in load(name)]
    encoders = by_writer({each.group for each in lessons} - {*options.leave_out}, options.folder)
    kept = _of(lessons, lambda name: name in encoders)
    fitted = plain(learn(kept, lambda lesson: listen(lesson.talk, encoders[lesson.group])))
    print(f"learned from {len(kept)} threads by {', '.join(sorted(encoders))}")
    with gzip.GzipFile(options.to, "wb", mtime=0) as file:
        file.write(json.dumps(fitted, ensure_ascii=False, sort_keys=True).encode())
    print(f"{options.to}: {options.to.stat().st_size} bytes")


if __name__ == "__main__":
    main()
