"""Errors as RFC 9457 problem details: a status, a reason code, and a sentence that says what to do."""

from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient
from discubot_pipeline.domain.preferences import sentence_of

STATUS = {
    "signature": 401,
    "stale": 401,
    "passcode": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "exists": 409,
    "conflict": 409,
    "at_work": 409,
    "waiting": 409,
    "on_hold": 409,
    "paused": 409,
    "payload_purged": 409,
    "version_required": 428,
    "malformed": 400,
    "oversize": 413,
    "unknown_hook": 404,
    "unknown_source": 404,
    "not_found": 404,
    "cut_off": 400,
    "secret_key": 503,
}
REASONS = {404: "not_found", 405: "not_allowed"}
REFUSAL = {"mailgun": 406}
"""Senders to which one status alone says that they need not come again, whatever is wrong."""
RETRY_SECONDS = 5
MEDIA_TYPE = "application/problem+json"
MEANINGS = {
    400: "What was sent cannot be read.",
    401: "No token or signature, or one that is not known.",
    403: "The token may only read.",
    404: "Not there, or another team's.",
    406: "Mailgun need not send it again, whatever is wrong.",
    409: "It does not go with how things stand by now.",
    413: "It is larger than anything that is taken.",
    422: "Something is wrong with what was sent: `detail` says what.",
    428: "A change needs the version it was made from.",
    503: "Something we need does not answer: try again later.",
}


class Problem(BaseModel):
    """What went wrong: problem details by RFC 9457, with a constant `reason` for programs."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["not found"])
    status: int = Field(examples=[404])
    reason: str = Field(examples=["not_found"])
    detail: str = Field(examples=["there is no job 8c0f…"])


Documented = dict[int | str, dict[str, Any]]


def documented(*statuses: int) -> Documented:
    """Describe for the API's document which errors a route answers; 401, 422 and 503 go without saying."""
    content = {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}
    return {each: {"description": MEANINGS[each], "content": content} for each in sorted({401, 422, 503, *statuses})}


def answer(request: Request, error: Exception) -> JSONResponse:
    """Turn a verdict into an answer. What is ours to mend is 503, so that the sender tries again."""
    known, reason, message = verdict(error)
    is_final = isinstance(error, Permanent) and known < 500
    status = REFUSAL.get(request.path_params.get("source", ""), known) if is_final else known
    body = {
        "type": "about:blank",
        "title": reason.replace("_", " "),
        "status": status,
        "reason": reason,
        "detail": message,
    }
    return JSONResponse(body, status, headers(request, known, error), media_type=MEDIA_TYPE)


def verdict(error: Exception) -> tuple[int, str, str]:
    """Give the status of an error, its reason, and the sentence for people."""
    match error:
        case Transient():
            return 503, error.reason, error.message
        case Permanent():
            return STATUS.get(error.reason, 422), error.reason, error.message
        case PipelineError():
            return 500, error.reason, error.message
        case HTTPException():
            return error.status_code, REASONS.get(error.status_code, "refused"), str(error.detail)
        case RequestValidationError():
            return 422, "invalid", sentence_of(error.errors(), skip=1)
        case _:
            return 500, "internal", "unexpected error"


def headers(request: Request, status: int, error: Exception) -> dict[str, str]:
    """Say what to do next: come again, show a token, or stop sending."""
    given = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    match status:
        case 503:
            return given | {"Retry-After": str(RETRY_SECONDS)}
        case 413:
            return given | {"Connection": "close"}  # else the rest of the body would be read, however long
        case 401 if request.url.path.startswith(("/api", "/metrics")):
            return given | {"WWW-Authenticate": "Bearer"}
        case _:
            return given
