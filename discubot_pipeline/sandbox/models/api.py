"""The stand-ins of model APIs: each speaks a dialect, all think alike. Called by the gate."""

from typing import Protocol

from discubot_pipeline.sandbox.faults import Fault
from discubot_pipeline.sandbox.models.anthropic import Anthropic
from discubot_pipeline.sandbox.models.checks import Refusal
from discubot_pipeline.sandbox.models.openai import CHAT, RESPONSES, OpenAI
from discubot_pipeline.sandbox.models.plausible import answer_to
from discubot_pipeline.sandbox.models.spoil import spoiled
from discubot_pipeline.sandbox.models.state import Ask, ModelState, Reply
from discubot_pipeline.sandbox.wire import Answer, Call, Json, html

CHARACTERS_A_TOKEN = 4


class Dialect(Protocol):
    """How one API reads and writes."""

    name: str

    def read(self, call: Call) -> Ask:
        """Check a request and give what it asks; raises Refusal."""

    def write(self, ask: Ask, reply: Reply, prompt_tokens: int, answer_tokens: int) -> Json:
        """Write an answer."""

    def refuse(self, refusal: Refusal, headers: dict[str, str]) -> Answer:
        """Write an error."""

    def outage(self, status: int) -> Refusal:
        """Give the API's words for a status."""

    def quota(self) -> Refusal:
        """Give the API's words for a limit of money."""


def dialects() -> dict[str, Dialect]:
    """List the services and how they speak."""
    return {
        "anthropic": Anthropic(),
        "openai": OpenAI("openai", (RESPONSES, CHAT)),
        "local": OpenAI("local", (CHAT,)),
    }


class ModelApi:
    """Answers by script, else in a way that makes sense."""

    def __init__(self, state: ModelState, dialect: Dialect) -> None:
        self.state = state
        self.dialect = dialect

    def answer(self, call: Call) -> Answer:
        """Carry a call out."""
        try:
            ask = self.dialect.read(call)
        except Refusal as refusal:
            return self.dialect.refuse(refusal, {})
        self.state.asks.append(ask)
        return self._written(ask, self.state.scripted(ask) or Reply(answer_to(ask)))

    def _written(self, ask: Ask, reply: Reply) -> Answer:
        taken = (len(ask.system) + len(ask.prompt)) // CHARACTERS_A_TOKEN
        given = max(1, len(reply.text) // CHARACTERS_A_TOKEN)
        return Answer(200, self.dialect.write(ask, reply, taken, given), draft=(ask, reply))

    def spoil(self, fault: Fault, done: Answer | None) -> Answer:
        """Say a fault in the API's words."""
        if done is not None and done.draft is not None:
            ask, reply = done.draft
            return self._written(ask, spoiled(fault.kind, ask, reply))
        if fault.kind == "ratelimit":
            headers = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
            return self.dialect.refuse(self.dialect.outage(429), headers)
        if fault.kind == "quota":
            return self.dialect.refuse(self.dialect.quota(), {})
        if fault.kind == "web_page":
            return html(200, "Welcome.")
        if fault.kind == "html":
            return html(fault.status or 502)
        refusal = self.dialect.outage(fault.status or 500)
        refusal.code = fault.error or refusal.code
        return self.dialect.refuse(refusal, {})

    def error(self, answer: Answer) -> str | None:
        """Return the kind of a refused call."""
        if isinstance(answer.body, str):
            return "html" if answer.status else "dropped"
        error = answer.body.get("error")
        return str(error["type"]) if isinstance(error, dict) else None

    def summary(self, call: Call) -> str:
        """Describe a call: the model, and how long the question is."""
        try:
            ask = self.dialect.read(call)
        except Refusal as refusal:
            return refusal.message
        return f"model={ask.model} form={ask.form} turns={ask.turns} characters={len(ask.prompt)}"
