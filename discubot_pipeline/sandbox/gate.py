"""The door of every stand-in: faults strike and calls are logged here. Called by the catch-all routes in
app.
"""

import asyncio
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from discubot_pipeline.sandbox.faults import AFTER, Armed, Fault, Faults
from discubot_pipeline.sandbox.log import CallLog
from discubot_pipeline.sandbox.wire import HANGUP, LEFT, Answer, Call, html

LONGEST_HANG = 60.0


class Service(Protocol):
    """What a stand-in offers to the gate."""

    def answer(self, call: Call) -> Answer:
        """Carry the call out."""

    def spoil(self, fault: Fault, done: Answer | None) -> Answer:
        """Say a fault in the service's own words; `done` is the true answer when the call was carried out."""

    def error(self, answer: Answer) -> str | None:
        """Return the error code that an answer holds, null when it is a success."""

    def summary(self, call: Call) -> str:
        """Describe the call in a few words for the log."""


class Gate:
    """Lets calls through to the services, unless a fault or a downed service says otherwise."""

    def __init__(self, faults: Faults, log: CallLog) -> None:
        self.faults = faults
        self.log = log

    async def admit(self, service: Service, call: Call) -> Response:
        """Answer one call and log it."""
        armed = None if call.service in self.faults.down else self.faults.strike(call)
        answer = await self._outcome(service, call, armed)
        self.log.add(
            service=call.service, method=call.verb, path=call.path, status=answer.status, token=call.bearer,
            summary=service.summary(call), error="left" if answer is LEFT else service.error(answer),
            fault=armed.id if armed else None,
        )  # fmt: skip
        return answer.response()

    async def _outcome(self, service: Service, call: Call, armed: Armed | None) -> Answer:
        if call.service in self.faults.down:
            return html(502, "Bad gateway.")
        if armed is None:
            return service.answer(call)
        if armed.fault.kind in AFTER:
            return await self._after(service, call, armed.fault)
        return await self._before(service, call, armed.fault)

    async def _before(self, service: Service, call: Call, fault: Fault) -> Answer:
        if fault.kind == "hang":
            return await _hang(call, fault.seconds or LONGEST_HANG)
        await asyncio.sleep(fault.seconds)
        if fault.kind == "slow":
            return service.answer(call)
        return HANGUP if fault.kind == "drop_before" else service.spoil(fault, None)

    async def _after(self, service: Service, call: Call, fault: Fault) -> Answer:
        done = service.answer(call)
        await asyncio.sleep(fault.seconds)
        if fault.kind == "drop_after":
            return HANGUP
        return done if service.error(done) else service.spoil(fault, done)


async def _hang(call: Call, seconds: float) -> Answer:
    """Say nothing until the client has left; one that never does is hung up on."""
    if call.listen is None:
        return HANGUP
    try:
        await asyncio.wait_for(call.listen(), seconds)
    except TimeoutError:
        return HANGUP
    return LEFT


async def call_of(request: Request, service: str, path: str) -> Call:
    """Read a request into a call."""
    query = tuple(request.query_params.multi_items())
    return Call(service, request.method, path, query, dict(request.headers), await request.body(), request.receive)
