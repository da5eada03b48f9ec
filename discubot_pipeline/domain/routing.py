"""Which output a task goes to: every one whose filter has its domain, else the default."""

from collections.abc import Sequence

from discubot_pipeline.domain.analysis import DetectedTask
from discubot_pipeline.domain.config import Output
from discubot_pipeline.domain.errors import Permanent


def route(task: DetectedTask, outputs: Sequence[Output]) -> tuple[Output, ...]:
    """Choose the outputs of a task; `no_output` when there is neither a match nor a default."""
    active = [output for output in outputs if output.active]
    matches = tuple(o for o in active if task.domain and task.domain.casefold() in map(str.casefold, o.domains))
    chosen = matches or tuple(output for output in active if output.is_default)[:1]
    if not chosen:
        raise Permanent("no_output", "no active output takes this task: mark one output as the default")
    return chosen
