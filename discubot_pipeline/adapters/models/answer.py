"""The form in which a model answers: flat, every field there, null over guessing. `guards` makes findings of it.

Providers support different parts of JSON Schema: lengths and ranges are left to the guards.
"""

from typing import Literal

from pydantic import BaseModel


class TaskAnswer(BaseModel):
    """One thing to be done."""

    title: str
    description: str | None
    action_items: list[str] | None
    status: str | None
    priority: Literal["low", "medium", "high", "urgent"] | None
    type: Literal["bug", "feature", "question", "improvement"] | None
    assignee: str | None
    due_date: str | None
    tags: list[str] | None
    domain: str | None
    evidence: int | None
    confidence: float


class Answer(BaseModel):
    """What a discussion is about and what is to be done."""

    summary: str
    key_points: list[str]
    sentiment: Literal["positive", "neutral", "negative"]
    confidence: float
    tasks: list[TaskAnswer]
