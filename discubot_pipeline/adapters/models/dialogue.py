"""Asks a model once, and once more when its answer does not fit the schema. Imported at the first question only:
its libraries take a second to load.
"""

import asyncio
import time
from typing import TypeVar

from pydantic import BaseModel
from pydantic_ai import Agent, capture_run_messages
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.usage import RunUsage

from discubot_pipeline.adapters.models.choice import Choice
from discubot_pipeline.adapters.models.prices import usage_of
from discubot_pipeline.adapters.models.providers import client_of, model_of, output_of, settings_of
from discubot_pipeline.adapters.models.verdicts import verdict_of
from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.meters import tally

A = TypeVar("A", bound=BaseModel)
SECOND_TRIES = 1


def ask(choice: Choice, system: str, prompt: str, form: type[A], name: str) -> tuple[A, Usage]:
    """Get an answer of a form, by a name that the model sees, and what it took.

    Raises Transient, Permanent or Unusable.
    """
    spent, began, status = RunUsage(), time.monotonic(), "answered"
    with capture_run_messages() as messages:
        try:
            answer = asyncio.run(_ask(choice, system, prompt, spent, form, name))
        except (AgentRunError, UserError, TimeoutError, ValueError) as error:
            # Without its cause: that quotes what was sent and answered, and tracebacks are kept.
            verdict = verdict_of(error, choice.name, _usage(choice, spent), _finish(messages))
            status = verdict.reason
            raise verdict from None
        finally:
            tally.call(time.monotonic() - began, choice.provider, status)
    return answer, _usage(choice, spent)


async def _ask(choice: Choice, system: str, prompt: str, spent: RunUsage, form: type[A], name: str) -> A:
    """Talk to the model on connections that are closed at the end, or at once when time is up."""
    async with asyncio.timeout(choice.patience), client_of(choice) as client:
        model = model_of(choice, client)
        agent = Agent(
            model,
            output_type=output_of(model, form, name),
            instructions=system,
            model_settings=settings_of(choice),
            retries={"output": SECOND_TRIES, "tools": SECOND_TRIES},
        )
        return (await agent.run(prompt, usage=spent)).output


def _usage(choice: Choice, spent: RunUsage) -> Usage:
    return usage_of(choice.provider, choice.model, spent.input_tokens, spent.output_tokens)


def _finish(messages: list[ModelMessage]) -> str | None:
    """Say how the last answer ended."""
    answers = [message for message in messages if isinstance(message, ModelResponse)]
    return answers[-1].finish_reason if answers else None
