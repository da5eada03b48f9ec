"""Builds the client of a model's API. No key or address of the environment is used, nothing is tried again."""

from typing import TypeVar

import httpx2 as httpx
from pydantic import BaseModel
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.output import NativeOutput, ToolOutput
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from discubot_pipeline.adapters.http import is_local, tls
from discubot_pipeline.adapters.models.choice import Choice
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.preferences import AnalystKind

A = TypeVar("A", bound=BaseModel)
CONNECT_SECONDS = 5.0
MOST_TOKENS = 16_000
"""Of an answer. Above some 21,000 the clients would stream."""
NO_KEY = "none"
"""What a local server is sent, which wants no key: the client does not work without one."""


def client_of(choice: Choice) -> httpx.AsyncClient:
    """Make the HTTP client of one conversation."""
    timeout = httpx.Timeout(choice.patience, connect=min(CONNECT_SECONDS, choice.patience))
    return httpx.AsyncClient(timeout=timeout, trust_env=not is_local(choice.url), verify=tls())


def model_of(choice: Choice, client: httpx.AsyncClient) -> Model:
    """Make a model that speaks the API of the choice."""
    key = choice.api_key.get_secret_value() if choice.api_key else ""
    if not key and choice.provider is not AnalystKind.COMPATIBLE:
        raise Permanent("model_auth", f"there is no key for {choice.name}: `discubot team model`")
    if choice.provider is AnalystKind.ANTHROPIC:
        anthropic = AnthropicProvider(api_key=key, base_url=choice.url, http_client=client)
        return AnthropicModel(choice.model, provider=anthropic)
    openai = OpenAIProvider(api_key=key or NO_KEY, base_url=choice.url, http_client=client)
    if choice.provider is AnalystKind.OPENAI:
        return OpenAIResponsesModel(choice.model, provider=openai)
    # Most servers that speak this API know the older name of the limit only.
    profile = OpenAIModelProfile(openai_chat_supports_max_completion_tokens=False)
    return OpenAIChatModel(choice.model, provider=openai, profile=profile)


def settings_of(choice: Choice) -> ModelSettings:
    """Bound a request: one try, a short answer, and no copy of the thread kept at the provider."""
    if choice.provider is AnalystKind.OPENAI:
        return OpenAIResponsesModelSettings(
            max_tokens=MOST_TOKENS, max_retries=0, timeout=choice.patience, openai_store=False
        )
    return ModelSettings(max_tokens=MOST_TOKENS, max_retries=0, timeout=choice.patience)


def output_of(model: Model, form: type[A], name: str) -> NativeOutput[A] | ToolOutput[A]:
    """Let the provider enforce the schema where it can; an older model calls a tool with it."""
    if model.profile.get("supports_json_schema_output", False):
        return NativeOutput(form, name=name, template=False)
    return ToolOutput(form, name=name)
