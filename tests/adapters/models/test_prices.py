"""What an answer costs, by our own list, held against another one."""

from datetime import UTC, datetime

import pytest
from genai_prices import Usage as TheirUsage
from genai_prices import calc_price

from discubot_pipeline.adapters.models.prices import prices, usage_of
from discubot_pipeline.domain.preferences import AnalystKind
from tests.adapters.models.asking import THREAD, analyst, asks
from tests.conftest import Sandbox

LISTED = [(AnalystKind(kind), model) for kind in ("anthropic", "openai") for model in prices()[kind]]
PROMPT, ANSWER = 50_000, 2_000


@pytest.mark.parametrize(("kind", "model"), LISTED)
def test_our_prices_are_theirs(kind: AnalystKind, model: str) -> None:
    """Each price is what the other list says for a prompt of our size, on the day our list names."""
    at = datetime.combine(prices()["date"], datetime.min.time(), UTC)
    usage = TheirUsage(input_tokens=PROMPT, output_tokens=ANSWER)
    theirs = calc_price(usage, model, provider_id=kind.value, genai_request_timestamp=at)
    assert usage_of(kind, model, PROMPT, ANSWER).cost_usd == pytest.approx(float(theirs.total_price))


@pytest.mark.parametrize(
    ("kind", "model", "cost"),
    [
        ("anthropic", "claude-sonnet-5", 12.0),
        ("anthropic", "claude-sonnet-5-20261001", 12.0),
        ("openai", "gpt-5-2025-08-07", 11.25),
        ("openai", "gpt-5-mini", 2.25),
        ("openai", "gpt-5-turbo", None),
        ("openai", "claude-sonnet-5", None),
        ("compatible", "gpt-5", None),
    ],
)
def test_an_unknown_model_has_no_price(kind: str, model: str, cost: float | None) -> None:
    """A dated name is the model's; anything else that is not listed is not guessed."""
    assert usage_of(AnalystKind(kind), model, 1_000_000, 1_000_000).cost_usd == cost


def test_no_tokens_cost_nothing() -> None:
    """Also of a model without a price."""
    assert usage_of(AnalystKind.COMPATIBLE, "llama3.3", 0, 0).cost_usd == 0.0


@pytest.mark.parametrize(("kind", "a_million"), [("anthropic", 2), ("openai", 1)])
def test_an_answer_tells_its_tokens_and_cost(sandbox: Sandbox, kind: str, a_million: float) -> None:
    """They are the API's own numbers, priced."""
    usage = analyst(sandbox, kind).analyze(THREAD).usage
    asked = asks(sandbox)[-1]
    assert usage.prompt_tokens == (len(asked["system"]) + len(asked["prompt"])) // 4
    assert usage.answer_tokens > 10
    assert usage.cost_usd is not None and usage.cost_usd > usage.prompt_tokens * a_million / 1_000_000
