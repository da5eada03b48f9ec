"""How well an analyst finds the tasks of labelled threads, next to a plain keyword rule."""

import argparse
import json
from pathlib import Path
from typing import Any, Final

from bench.analysis.baseline import KeywordAnalyst
from bench.analysis.cases import Case, load, outcomes
from bench.analysis.matching import Pairing, pair
from bench.analysis.report import report
from bench.analysis.scores import Scores, score
from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from discubot_pipeline.ports import Analyst

ANALYSTS: Final[dict[str, type[Analyst]]] = {"rules": RuleAnalyst, "keywords": KeywordAnalyst}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Name the options."""
    parser.add_argument("--set", choices=["dev", "heldout"], default="heldout", help="which threads (heldout)")
    parser.add_argument("--analyst", choices=[*ANALYSTS], default="rules", help="who reads them (rules)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    parser.add_argument("--figures-only", action="store_true", help="show no text of any thread: for held-out runs")


def run(options: argparse.Namespace) -> int:
    """Measure, print, and write the figures."""
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


def figures(options: argparse.Namespace, scores: Scores, baseline: Scores) -> dict[str, Any]:
    """Give what `--json` writes."""
    return {
        "set": options.set,
        "analyst": options.analyst,
        **scores.figures,
        "baseline": {"analyst": KeywordAnalyst.name, **baseline.figures},
        "f1_ratio": round(scores.f1 / baseline.f1, 4) if baseline.f1 else None,
    }
