"""What the tokens of a model cost, from `prices.toml`. A model that is not listed there has no known price."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from discubot_pipeline.domain.analysis import Usage
from discubot_pipeline.domain.preferences import AnalystKind

FILE = Path(__file__).parent / "prices.toml"
MILLION = 1_000_000

_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$")


@cache
def prices() -> dict[str, Any]:
    """Read the list: by provider and model, US dollars for a million tokens."""
    return tomllib.loads(FILE.read_text())


def usage_of(provider: AnalystKind, model: str, prompt_tokens: int, answer_tokens: int) -> Usage:
    """Price the tokens that were used; the cost is None when nobody knows it."""
    price = prices().get(provider, {}).get(_DATED.sub("", model))
    known = price is not None or not (prompt_tokens or answer_tokens)
    cost = (prompt_tokens * price["prompt"] + answer_tokens * price["answer"]) / MILLION if price else 0.0
    return Usage(prompt_tokens=prompt_tokens, answer_tokens=answer_tokens, cost_usd=round(cost, 6) if known else None)
