"""How well an analyst finds the tasks of labelled threads, next to a plain keyword rule."""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from bench.analysis.baseline import KeywordAnalyst
from bench.analysis.cases import WRITERS, Case, load, outcomes
from bench.analysis.matching import Pairing, pair
from bench.analysis.report import report
from bench.analysis.scores import Scores, score
from discubot_pipeline.adapters.learned import encoder, weights
from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.cli.analyze import ThreadFile
from discubot_pipeline.cli.threads import Play, export
from discubot_pipeline.domain.analysis import Brief
from discubot_pipeline.ports import Analyst

MOST = 100_000
SETS: Final = ("heldout", "blind", "sealed", "judge", "dev", "train", *WRITERS)
ANALYSTS: Final[dict[str, type[Analyst]]] = {"rules": RuleAnalyst, "keywords": KeywordAnalyst}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--set", choices=[*SETS], default="heldout", help="which threads (heldout)")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights to read with (the package's own)")
    parser.add_argument("--encoder", type=Path, metavar="FILE", help="encoder to hear with (the package's own)")
    parser.add_argument("--analyst", choices=[*ANALYSTS], default="rules", help="who reads them (rules)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    parser.add_argument(
        "--slack-export",
        type=Path,
        metavar="ZIP",
        help="instead: how many tasks in the threads with replies of a Slack export, which has no labels",
    )
    parser.add_argument("--figures-only", action="store_true", help="show no text of any thread: for held-out runs")


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the figures."""
    if options.weights:
        weights.WEIGHTS = options.weights
    if options.encoder:
        encoder.ENCODER = options.encoder
    if options.slack_export:
        print(count_tasks(options.slack_export, ANALYSTS[options.analyst](), with_text=not options.figures_only))
        return 0
    cases = load(options.set)
    pairings = measure(cases, ANALYSTS[options.analyst]())
    baseline = score(measure(cases, KeywordAnalyst()))
    print(report(options.set, options.analyst, pairings, baseline, with_text=not options.figures_only))
    if options.json:
        options.json.write_text(json.dumps(figures(options, score(pairings), baseline), indent=2) + "\n")
    return 0


def measure(cases: list[Case], analyst: Analyst) -> list[Pairing]:
    """Let an analyst read all threads and pair what it found with the labels."""
    return [pair(outcome) for outcome in outcomes(cases, analyst)]


def count_tasks(path: Path, analyst: Analyst, *, with_text: bool) -> str:
    """Count the tasks in real threads, the keyword rule's beside them; whether they are right, a person has to read."""
    threads = [thread for thread in export(path, MOST) if len(thread.lines) > 1]
    briefs = [_brief(thread) for thread in threads]
    found = [analyst.analyze(brief).findings.tasks for brief in briefs]
    keywords = sum(len(KeywordAnalyst().analyze(brief).findings.tasks) for brief in briefs)
    total = sum(map(len, found))
    lines = [f"{thread.name} {task.title}" for thread, tasks in zip(threads, found, strict=True) for task in tasks]
    return "\n".join(
        [
            f"{len(threads)} threads with replies",
            f"{analyst.name}: {total} tasks, {total / len(threads):.3f} a thread",
            f"keywords: {keywords} tasks, {keywords / len(threads):.3f} a thread",
            *(lines if with_text else ()),
        ]
    )


def _brief(thread: Play) -> Brief:
    messages = [{"author": line.user, "text": line.text, "ts": line.ts} for line in thread.lines]
    return ThreadFile.read({"source": "slack", "messages": messages}).brief


def figures(options: argparse.Namespace, scores: Scores, baseline: Scores) -> dict[str, Any]:
    """Give what `--json` writes."""
    return {
        "set": options.set,
        "analyst": options.analyst,
        **scores.figures,
        "baseline": {"analyst": KeywordAnalyst.name, **baseline.figures},
        "f1_ratio": round(scores.f1 / baseline.f1, 4) if baseline.f1 else None,
    }
