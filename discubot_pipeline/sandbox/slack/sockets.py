"""Socket Mode: the connections of an app, and events that wait there for their acknowledgement. Used by the courier.

Facts: https://docs.slack.dev/apis/events-api/using-socket-mode
"""

import asyncio
import json
import secrets
import uuid
from dataclasses import dataclass, field

from starlette.websockets import WebSocket, WebSocketDisconnect

from discubot_pipeline.sandbox.slack.state import Workspace
from discubot_pipeline.sandbox.wire import Json

ACK_SECONDS = 3.0
NO_SUCH_TICKET = 4001


@dataclass
class Line:
    """One open connection."""

    workspace: Workspace
    socket: WebSocket
    acks: dict[str, asyncio.Event] = field(default_factory=dict)

    async def offer(self, payload: Json, retry: int) -> bool:
        """Send an event and wait for its acknowledgement; false when none comes in time."""
        id = str(uuid.uuid4())
        acked = self.acks[id] = asyncio.Event()
        envelope = {
            "envelope_id": id, "type": "events_api", "accepts_response_payload": False, "payload": payload,
            "retry_attempt": retry, "retry_reason": "timeout" if retry else "",
        }  # fmt: skip
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await self.socket.send_text(json.dumps(envelope))
                await acked.wait()
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return False
        finally:
            del self.acks[id]
        return True

    async def listen(self) -> None:
        """Take acknowledgements until the other side goes."""
        while True:
            said = json.loads(await self.socket.receive_text())
            acked = self.acks.get(str(said.get("envelope_id")))
            if acked is not None:
                acked.set()


class Sockets:
    """All open connections; an event goes to one of its app's, the newest."""

    def __init__(self) -> None:
        self._tickets: dict[str, Workspace] = {}
        self._lines: list[Line] = []

    def ticket(self, workspace: Workspace) -> str:
        """Give out the right to connect once."""
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = workspace
        return ticket

    def lines(self, workspace: Workspace) -> list[Line]:
        """List the open connections of an app."""
        return [line for line in self._lines if line.workspace is workspace]

    async def serve(self, socket: WebSocket) -> None:
        """Hold one connection from hello to its end."""
        await socket.accept()
        workspace = self._tickets.pop(socket.query_params.get("ticket", ""), None)
        if workspace is None:
            await socket.close(NO_SUCH_TICKET)
            return
        line = Line(workspace, socket)
        count = len(self.lines(workspace)) + 1
        app = {"app_id": workspace.app_id}
        await socket.send_text(json.dumps({"type": "hello", "num_connections": count, "connection_info": app}))
        self._lines.append(line)
        try:
            await line.listen()
        except (WebSocketDisconnect, RuntimeError, ValueError):
            pass
        finally:
            self._lines.remove(line)

    async def disconnect(self, workspace: Workspace, reason: str, close: bool) -> int:
        """Tell an app's connections to make way for new ones, or cut them; returns how many there were."""
        lines = self.lines(workspace)
        for line in lines:
            if close:
                await line.socket.close(1001)
            else:
                await line.socket.send_text(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {}}))
        return len(lines)

    async def offer(self, workspace: Workspace, envelope: Json, retry: int) -> bool | None:
        """Offer an event to one connection; none when there is no connection."""
        lines = self.lines(workspace)
        return await lines[-1].offer(envelope, retry) if lines else None

    def forget(self) -> None:
        """Drop the tickets; connections end with their workspaces' server."""
        self._tickets.clear()
