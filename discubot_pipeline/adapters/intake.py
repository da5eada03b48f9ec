"""Sends a discussion to the generic intake, signed as any other tool would sign it. Called by `discubot ingest`."""

from datetime import datetime
from typing import Any
from uuid import uuid4

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
    if answer.status_code != 200:
        raise Permanent("refused", answer.json().get("detail", answer.text))
    receipt: dict[str, Any] = answer.json()
    return receipt
