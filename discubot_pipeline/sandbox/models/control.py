"""Control of the stand-in of language models: scripted answers, and what was asked. Mounted by app."""

import re
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import Field, field_validator

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.models.state import Stop
from discubot_pipeline.sandbox.wire import Json

router = APIRouter(prefix="/sandbox/models")


class NewScript(Strict):
    """An answer for prompts that match a pattern; `answer` is a text, or anything else as JSON."""

    match: str = ""
    answer: Any = Field(...)
    stop: Stop = "end"
    times: int | None = Field(None, ge=1)

    @field_validator("match")
    @classmethod
    def _is_a_pattern(cls, match: str) -> str:
        try:
            re.compile(match)
        except re.error as wrong:
            raise ValueError(f"not a regular expression: {wrong}") from wrong
        return match


@router.post("/scripts")
async def add_script(world: TheWorld, new: NewScript) -> Json:
    """Script an answer; the newest that fits is given."""
    return {"id": world.models.script(new.match, new.answer, new.stop, new.times).id}


@router.delete("/scripts/{id}")
async def remove_script(world: TheWorld, id: str) -> Json:
    """Forget a scripted answer."""
    if world.models.scripts.pop(id, None) is None:
        raise HTTPException(404, "no such script")
    return {"ok": True}


@router.get("/asks")
async def asks(world: TheWorld) -> Json:
    """List what the models were asked, oldest first."""
    return {"asks": world.models.asked()}
