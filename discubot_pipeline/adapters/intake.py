"""Sends a discussion to the generic intake, signed as any other tool would sign it. Called by `discubot ingest`."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx2 as httpx
from standardwebhooks.webhooks import Webhook

from discubot_pipeline.adapters.http import Service
from discubot_pipeline.domain.config import GenericCredentials, SourceConfig
from discubot_pipeline.domain.errors import Permanent


def post(config: SourceConfig, receiver_url: str, body: bytes, now: datetime) -> dict[str, Any]:
    """Post a body to a source's webhook address; gives the receipt, or raises Permanent with what is wrong."""
    if not isinstance(config.credentials, GenericCredentials):
        raise Permanent("unknown_source", f"source {config.name!r} is no generic intake")
    id = f"msg_{uuid4().hex}"
    try:
        signature = Webhook(config.credentials.signing_secret.get_secret_value()).sign(id, now, body.decode())
    except UnicodeDecodeError as error:
        raise Permanent("malformed", "the file is not UTF-8 text") from error
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
    }
    with Service("The receiver", receiver_url, {}) as receiver:
        answer = receiver.call("POST", f"/hooks/{config.source}/{config.hook}", content=body, headers=headers)
    return receipt_of(answer)


def receipt_of(answer: httpx.Response) -> dict[str, Any]:
    """Read the receipt, else why there is none; an answer that is neither is some other program's."""
    try:
        said = answer.json()
    except ValueError:
        said = None
    told = said if isinstance(said, dict) else {}
    if answer.status_code == 200 and "delivery_id" in told:
        return told
    stranger = f"the receiver's address answered {answer.status_code}, but not as the receiver does"
    raise Permanent("refused", str(told["detail"]) if "reason" in told else stranger)
