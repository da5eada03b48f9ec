"""Stage 4, ai_analysis: what the thread is about and what is to be done."""

from discubot_pipeline.domain.analysis import Analysis, Brief, DetectedTask, Findings
from discubot_pipeline.domain.discussion import Thread
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import Outside
from discubot_pipeline.store.stores import Stores

STEP = "analyze_thread"


def analyze(thread: Thread, job: Job, stores: Stores, outside: Outside) -> Analysis:
    """Analyse the thread, or take what a run that had to wait has found already, and store it."""
    analysis = kept(thread, stores) or judge(thread, stores, outside)
    stores.discussions.record_analysis(analysis, job.run_id)
    return analysis


def kept(thread: Thread, stores: Stores) -> Analysis | None:
    """Give the analysis of the run before this one."""
    earlier = thread.configured.parsed.resume_from
    output = stores.steps.output(earlier, STEP) if earlier else None
    return Analysis.model_validate(output) if output else None


def judge(thread: Thread, stores: Stores, outside: Outside) -> Analysis:
    """Ask the analyst that the source config chose; with AI switched off the discussion itself is the task."""
    parsed = thread.configured.parsed
    config = stores.configs.source(parsed.ref.source_config_id)
    if not config.preferences.ai_enabled:
        return Analysis(discussion_id=parsed.discussion_id, findings=as_it_stands(thread), analyst="none")
    analyst = outside.analyst(config)
    brief = Brief(
        title=thread.title,
        messages=thread.messages,
        instructions=thread.mentions,
        people=tuple(person.name for person in thread.participants if not person.is_bot),
        time_zone=config.preferences.time_zone,
        max_tasks=config.preferences.max_tasks,
        context=thread.context,
    )
    findings = analyst.analyze(brief)
    limited = findings.model_copy(update={"tasks": findings.tasks[: config.preferences.max_tasks]})
    return Analysis(discussion_id=parsed.discussion_id, findings=limited, analyst=analyst.name)


def as_it_stands(thread: Thread) -> Findings:
    """Make one task of the discussion itself."""
    words = (thread.messages + thread.mentions)[:1]
    task = DetectedTask(title=thread.title, description=words[0].text[:500] if words else "")
    return Findings(summary=thread.title, tasks=(task,), confidence=0.0)
