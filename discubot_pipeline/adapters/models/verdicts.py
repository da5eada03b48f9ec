"""Turns what goes wrong with a model into verdicts. Messages quote no body: it may hold words of the thread."""

from datetime import timedelta
from typing import Any

from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    IncompleteToolCall,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    OutputTokenLimitExceeded,
    UserError,
)

from discubot_pipeline.domain.analysis import Unusable, Usage
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient

PASSING = frozenset({408, 409, 425})
"""Client errors that another try may mend."""
FINISHES = {"length": "model_truncated", "content_filter": "model_refusal"}


def verdict_of(error: Exception, name: str, usage: Usage, finish: str | None) -> PipelineError:
    """Give the verdict on a failed conversation; `finish` says how the model's last answer ended."""
    match error:
        case ModelAPIError():
            return api_verdict(error, name)
        case ContentFilterError():
            return Unusable("model_refusal", f"{name} refused to read this thread", usage)
        case OutputTokenLimitExceeded() | IncompleteToolCall():
            return Unusable("model_truncated", f"the answer of {name} was cut off", usage)
        case TimeoutError():
            return Transient("model_down", f"{name} took too long")
        case UserError():
            return Permanent("model_refused_request", f"{name} cannot be asked for answers of this form")
        case AgentRunError():
            reason = FINISHES.get(finish or "", "model_garbage")
            return Unusable(reason, f"no findings can be made of what {name} answered", usage)
        case _:
            return Permanent("model_garbage", f"{name} answered in no form that is known: {type(error).__name__}")


def api_verdict(error: ModelAPIError, name: str) -> PipelineError:
    """Read an API's refusal: what waiting mends, and what only a person can."""
    said = ", ".join(filter(None, (status_of(error), error.provider_error_type, error.provider_error_code)))
    told = f"{name}: {said or type(error).__name__}"
    wait = None if error.retry_after is None else timedelta(seconds=min(error.retry_after, 10**9))
    match error:
        case ModelQuotaExceededError():
            return Permanent("model_quota", f"quota or spend limit used up at {told}")
        case ModelRateLimitError() if is_spend_limit(error.body):
            return Permanent("model_quota", f"spend limit reached at {told}")
        case ModelRateLimitError():
            return Transient("rate_limited", f"asked for a pause by {told}", wait)
        case ModelAuthenticationError():
            return Permanent("model_auth", f"key refused by {told}")
        case ModelNotFoundError():
            return Permanent("model_unknown", f"no such model, or a wrong address: {told}")
        case ModelConnectionError() | ModelRequestTimeout():
            return Transient("model_down", f"no answer from {name}")
        case ModelRequestRejectedError():
            return Permanent("model_refused_request", f"request refused by {told}")
        case ModelHTTPError(status_code=status) if status < 500 and status not in PASSING:
            return Permanent("model_refused_request", f"request refused by {told}")
        case _:
            return Transient("model_down", f"out of order: {told}", wait)


def status_of(error: ModelAPIError) -> str | None:
    """Give the HTTP status of an error, if it has one."""
    return str(error.status_code) if isinstance(error, ModelHTTPError) else None


def is_spend_limit(body: Any) -> bool:
    """Tell a limit of money from one of pace: Anthropic says it in the details of a 429."""
    error = body.get("error", body) if isinstance(body, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    code = details.get("error_code") if isinstance(details, dict) else None
    return isinstance(code, str) and "spend_limit" in code
