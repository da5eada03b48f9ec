"""Errors as RFC 9457 problem details: a status, a reason code, and a sentence that says what to do."""

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient

STATUS = {
    "signature": 401,
    "stale": 401,
    "unauthorized": 401,
    "malformed": 400,
    "oversize": 413,
    "unknown_hook": 404,
    "unknown_source": 404,
    "not_found": 404,
    "cut_off": 400,
    "secret_key": 503,
}
REASONS = {404: "not_found", 405: "not_allowed"}
RETRY_SECONDS = 5


def answer(request: Request, error: Exception) -> JSONResponse:
    """Turn a verdict into an answer. What is ours to mend is 503, so that the sender tries again."""
    status, reason, message = verdict(error)
    body = {
        "type": "about:blank",
        "title": reason.replace("_", " "),
        "status": status,
        "reason": reason,
        "detail": message,
    }
    return JSONResponse(body, status, headers(request, status, error), media_type="application/problem+json")


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
            wrong = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
            return 422, "invalid", "; ".join(wrong)
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
        case 401 if request.url.path.startswith("/api"):
            return given | {"WWW-Authenticate": "Bearer"}
        case _:
            return given
