"""Control of Mailgun's sender: posts mails about comments to an inbound route, in either form. Mounted by app."""

import secrets
import time
from dataclasses import asdict
from typing import Literal

from fastapi import APIRouter, HTTPException
from pydantic import Field

from discubot_pipeline.sandbox.control import Strict, TheWorld
from discubot_pipeline.sandbox.figma import mails
from discubot_pipeline.sandbox.figma.control import file_of
from discubot_pipeline.sandbox.figma.courier import Parcel
from discubot_pipeline.sandbox.wire import Json

router = APIRouter(prefix="/sandbox/mailgun")
FINAL = (200, 406)
RETRY_DELAYS = [600.0, 900.0, 1800.0, 3600.0, 7200.0, 14400.0]


class Mail(Strict):
    """A mail about comments: what to change of its fields, how to sign and send it.

    With a token of an earlier mail it is a retry, or a replay when its fields differ.
    """

    url: str
    signing_key: str
    file_key: str
    comment_ids: list[str] = Field(min_length=1)
    form: Literal["urlencoded", "multipart"] = "urlencoded"
    with_key: bool = True
    fields: dict[str, str] = Field(default_factory=dict)
    without: list[str] = Field(default_factory=list)
    token: str | None = None
    timestamp: int | None = None
    signature: str | None = None
    background: bool = False
    retry_delays: list[float] = RETRY_DELAYS


class Again(Strict):
    """An earlier mail to send once more as it was, or with other fields under the same signature."""

    token: str
    fields: dict[str, str] = Field(default_factory=dict)


@router.post("/mails")
async def send(world: TheWorld, mail: Mail) -> Json:
    """Send a mail; gives the receiver's answer, or starts a delivery with Mailgun's retries behind it."""
    file = file_of(world, mail.file_key)
    unknown = [id for id in mail.comment_ids if id not in file.comments]
    if unknown:
        raise HTTPException(404, f"no comment {unknown[0]}")
    told = [(file.comments[id], world.figma.accounts[file.comments[id].account_id]) for id in mail.comment_ids]
    fields = mails.letter(file, told, world.base_url, with_key=mail.with_key)
    fields = [(name, mail.fields.get(name, value)) for name, value in fields if name not in mail.without]
    fields += [(name, value) for name, value in mail.fields.items() if name not in dict(fields)]
    token, stamp = mail.token or secrets.token_hex(25), str(mail.timestamp or int(time.time()))
    fields += mails.signature(mail.signing_key, stamp, token)
    if mail.signature is not None:
        fields = [(name, mail.signature if name == "signature" else value) for name, value in fields]
    kind, body = mails.FORMS[mail.form](fields)
    parcel = Parcel(token, mail.url, {"content-type": kind}, body, tuple(mail.retry_delays), FINAL)
    world.mails[token] = (mail.url, fields, mail.form)
    if mail.background:
        world.figma_courier.send(parcel)
        return {"token": token}
    return {"token": token} | asdict(await world.figma_courier.attempt(parcel))


@router.post("/again")
async def again(world: TheWorld, what: Again) -> Json:
    """Send a mail again with the same signature."""
    if what.token not in world.mails:
        raise HTTPException(404, "no such mail")
    url, sent, form = world.mails[what.token]
    fields = [(name, what.fields.get(name, value)) for name, value in sent]
    kind, body = mails.FORMS[form](fields)
    parcel = Parcel(what.token, url, {"content-type": kind}, body, (), FINAL)
    return {"token": what.token} | asdict(await world.figma_courier.attempt(parcel))
