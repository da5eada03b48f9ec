"""A Figma file that several firms share: every comment is told to all of them, and each has a bot of its own name."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import SecretStr

from discubot_pipeline.domain.config import FigmaCredentials, NotionCredentials, SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.web.hooks import take
from tests.conftest import Sandbox
from tests.stages.firms.rig import Firm

FIGMA = SourceType.FIGMA


@dataclass
class Drawing:
    """The file, with the source and the people that each firm has in it, by the firm's name."""

    sandbox: Sandbox
    firms: list[Firm]
    accounts: dict[str, str] = field(default_factory=dict)
    sources: dict[str, SourceConfig] = field(default_factory=dict)
    key: str = ""
    webhook: str = ""

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """Call the control API of the stand-in."""
        return self.sandbox.control(method, f"/figma{path}", body)

    def join(self, firm: Firm, name: str) -> str:
        """Give a firm its bot and its source, whose tasks go to the firm's database; gives the bot's account."""
        self.accounts[name] = self.control("POST", "/accounts", {"handle": f"Anna {name}"})["id"]
        bot = self.control("POST", "/accounts", {"handle": f"{name}-bot"})
        secrets = FigmaCredentials(token=SecretStr(bot["token"]), passcode=SecretStr(f"pass-{name}"))
        configs, preferences = firm.services.stores.configs, {"trigger": f"@{name}-bot"}
        team = configs.team_of(firm.config.team_id)
        made = configs.add_source(team, FIGMA, "figma", secrets, "test", preferences=preferences)
        [(output, database)] = firm.databases.items()
        token = NotionCredentials(token=SecretStr(firm.tokens[output]))
        configs.add_output(made, output, database, token, "test", is_default=True)
        self.sources[name] = made
        return str(bot["id"])

    def open(self, names: list[str]) -> "Drawing":
        """Make the file, of which all are members, and its webhook."""
        bots = [self.join(firm, name) for firm, name in zip(self.firms, names, strict=True)]
        self.key = self.control("POST", "/files", {"name": "Shared", "members": [*self.accounts.values(), *bots]})[
            "key"
        ]
        hook = {"endpoint": f"{self.sandbox.url}/healthz", "passcode": "x", "files": [self.key], "quiet": True}
        self.webhook = self.control("POST", "/webhooks", hook)["id"]
        return self

    def say(self, name: str, text: str, root: str | None = None) -> str:
        """Let somebody of a firm comment; gives the comment's id."""
        said = {"file_key": self.key, "user": self.accounts[name], "message": text, "parent_id": root, "quiet": True}
        return str(self.control("POST", "/comments", said)["id"])

    def call(self, name: str, root: str, words: str) -> dict[str, str]:
        """Let somebody call their firm's bot in a thread, and tell all firms; gives what each firm's address said."""
        comment = self.say(name, f"@{name}-bot {words}", root)
        event = self.control("GET", f"/events/{self.webhook}/{comment}")
        return {to: self.tell(firm, to, event) for firm, to in zip(self.firms, self.sources, strict=True)}

    def tell(self, firm: Firm, name: str, event: dict[str, Any]) -> str:
        """Deliver an event to a firm's address; gives what became of it."""
        body = json.dumps(event | {"passcode": f"pass-{name}"}).encode()
        door = firm.services.outside.door(FIGMA)
        receipt: Any = asyncio.run(take(self.sources[name], door, {}, body, firm.services))
        return str(receipt.reason or receipt.status)

    def threads(self, name: str) -> list[list[dict[str, Any]]]:
        """Give the threads that a firm's people have opened, with all that was said in them."""
        comments = self.control("GET", f"/files/{self.key}/comments")["comments"]
        roots = [one["id"] for one in comments if not one["parent_id"] and one["user"]["id"] == self.accounts[name]]
        return [[one for one in comments if root in (one["id"], one["parent_id"])] for root in roots]
