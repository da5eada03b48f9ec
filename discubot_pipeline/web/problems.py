"""Errors as RFC 9457 problem details: a status, a reason code, and a sentence that says what to do."""

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient

STATUS = {
    "signature": 401,
    "stale": 401,
    "unauthorized": 401,
    "forbidden": 403,
    "exists": 409,
    "conflict": 409,
    "version_required": 428,
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


def refuse(request: Request, error: Exception) -> JSONResponse:
    """Turn a request that is not what it should be into an answer, in the words that the command line uses."""
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    told = [(".".join(map(str, fault["loc"][1:])), fault["msg"].removeprefix("Value error, ")) for fault in faults]
    sentence = "; ".join(f"{field}: {message}" if field else message for field, message in told)
    return answer(request, Permanent("invalid", sentence))
