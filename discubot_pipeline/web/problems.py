"""Errors as RFC 9457 problem details: a status, a reason code, and a sentence that says what to do."""

from fastapi import Request
from fastapi.responses import JSONResponse

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
}
RETRY_SECONDS = 5


def answer(request: Request, error: Exception) -> JSONResponse:
    """Turn a verdict into an answer. What is ours to mend is 503, so that the sender tries again."""
    reason, message = ("internal", "unexpected error")
    if isinstance(error, PipelineError):
        reason, message = error.reason, error.message
    status = 503 if isinstance(error, Transient) else STATUS.get(reason, 422) if isinstance(error, Permanent) else 500
    body = {
        "type": "about:blank",
        "title": reason.replace("_", " "),
        "status": status,
        "reason": reason,
        "detail": message,
    }
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    if status == 401 and request.url.path.startswith("/api"):
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(body, status, headers, media_type="application/problem+json")
