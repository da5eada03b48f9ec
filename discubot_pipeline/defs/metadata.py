"""What the Dagster UI shows of each stage's value: counts to plot, links to follow, a little Markdown."""

from typing import Any

import dagster as dg
from pydantic import BaseModel

from discubot_pipeline.domain.analysis import Analysis
from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion, Thread
from discubot_pipeline.domain.job import Outcome
from discubot_pipeline.domain.task import CreatedTasks

Metadata = dict[str, Any]


def describe(value: BaseModel) -> Metadata:
    """Give the metadata of a stage's value."""
    match value:
        case ParsedDiscussion():
            return of_parsed(value)
        case ConfiguredDiscussion():
            return {"config version": value.config_version}
        case Thread():
            return of_thread(value)
        case Analysis():
            return of_analysis(value)
        case CreatedTasks():
            return of_tasks(value)
        case Outcome():
            return {"outcome": value.outcome.value, "reply": dg.MetadataValue.md(value.reply or "–")}
        case _:
            return {}


def of_parsed(parsed: ParsedDiscussion) -> Metadata:
    """Show which thread a run is about."""
    return {
        "team": parsed.team_name,
        "source": parsed.ref.source.value,
        "thread": parsed.ref.thread_id,
        "discussion": str(parsed.discussion_id),
        "deliveries": len(parsed.delivery_ids),
    }


def of_thread(thread: Thread) -> Metadata:
    """Show how much was read, and where it is."""
    link = {"thread": dg.MetadataValue.url(thread.url)} if thread.url else {}
    return link | {
        "title": thread.title,
        "messages": len(thread.messages),
        "people": len(thread.participants),
    }


def of_analysis(analysis: Analysis) -> Metadata:
    """Show what was found."""
    findings = analysis.findings
    return {
        "summary": dg.MetadataValue.md(findings.summary or "–"),
        "tasks": len(findings.tasks),
        "titles": dg.MetadataValue.md("\n".join(f"- {task.title}" for task in findings.tasks) or "–"),
        "confidence": findings.confidence,
        "analyst": analysis.analyst,
        "degraded": analysis.degraded,
        "degraded because": analysis.degraded_reason or "–",
        "kept answer": analysis.cached,
        "prompt tokens": analysis.prompt_tokens,
        "answer tokens": analysis.answer_tokens,
        "cost (USD)": f"no price is known for {analysis.analyst}" if analysis.cost_usd is None else analysis.cost_usd,
    }


def of_tasks(created: CreatedTasks) -> Metadata:
    """Show the pages, each with its link."""
    pages = {f"page {number}": dg.MetadataValue.url(task.url) for number, task in enumerate(created.made[:20], 1)}
    return (
        {"created": len(created.new), "there already": len(created.made) - len(created.new)}
        | pages
        | {"missing": len(created.missing)}
    )
