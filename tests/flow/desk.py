"""A team's own ways to its jobs: the REST API with its token, and the command line."""

import json
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from discubot_pipeline.cli.main import main
from discubot_pipeline.store.tables import Role
from tests.flow.runs import eventually
from tests.flow.team import Team
from tests.flow.town import Town

FINAL = ("completed", "partial", "failed", "cancelled")


@dataclass(frozen=True)
class Desk:
    """A person of a team, with a token of the API."""

    town: Town
    token: str

    @classmethod
    def of(cls, team: Team, name: str = "anna", role: Role = Role.MEMBER) -> "Desk":
        """Give a person of a team a token."""
        return cls(team.town, team.town.here.stores.tokens.make(team.row.id, name, role, "test"))

    def __call__(self, method: str, path: str, status: int = 200, body: Any = None) -> Any:
        """Call the API and expect a status."""
        answer = self.town.receiver.call(
            method, f"/api{path}", json=body, headers={"authorization": f"Bearer {self.token}"}
        )
        assert answer.status_code == status, answer.text
        return answer.json()

    def job(self, job_id: str) -> Any:
        """Show a job."""
        return self("GET", f"/jobs/{job_id}")

    def ended(self, job_id: str) -> Any:
        """Show a job when it has ended."""
        return eventually(lambda: shown if (shown := self.job(job_id))["status"] in FINAL else None, f"job {job_id}")


def command(town: Town, *words: str, status: int = 0) -> Any:
    """Call `discubot job …` as an operator does; gives what it prints with --json, or what it says against it."""
    as_json = [] if status else ["--json"]
    done = CliRunner().invoke(main, ["job", *words, *as_json], env=town.system.exports())
    assert done.exit_code == status, done.output
    if status:
        return done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines if words[0] in ("logs", "watch") else lines[0]
