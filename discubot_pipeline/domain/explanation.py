"""Why a step did what it did: what is to be explained, and the explanation."""

from typing import Any
from uuid import UUID

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.job import Stage, Value


class Wanted(Value):
    """A step that is to be explained, as its record has it; `attempts` counts explanations, `tries` the step's own."""

    id: UUID
    run_id: str
    step: str
    stage: Stage | None
    status: str
    input: Any
    output: Any
    reason: str | None
    error: str | None
    tries: int
    attempts: int
    source_config_id: UUID | None


class Explanation(Value):
    """A text, who wrote it – a model by its name, or `offline` – and what it took."""

    text: str
    author: str
    usage: Usage = Usage()
