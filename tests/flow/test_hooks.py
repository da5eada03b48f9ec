"""A team's hooks hear of the ends of its jobs: each once, signed, and of no other team's."""

import pytest

from discubot_pipeline.store.tables import Role
from tests.defs.target import listening_target
from tests.flow.desk import Desk
from tests.flow.runs import Json, eventually
from tests.flow.team import Team
from tests.flow.town import Town

ENDED = ["job.completed", "job.failed"]


@pytest.fixture
def team(town: Town) -> Team:
    """Found a team."""
    return town.team("heralds")


def sent(admin: Desk, hook: Json, count: int) -> list[Json]:
    """Wait until a hook was told so much, and nothing more waits; gives what it was told."""

    def probe() -> list[Json] | None:
        told: list[Json] = admin("GET", f"/hooks/{hook['id']}/deliveries")["deliveries"]
        return told if len(told) >= count and all(each["status"] != "pending" for each in told) else None

    return eventually(probe, f"hook {hook['name']} to be told")


def test_each_end_is_told_once(town: Town, team: Team) -> None:
    """A webhook verifies both, and has the job as the API shows it; Slack's channel hears of the failure alone."""
    admin = Desk.of(team, role=Role.ADMIN)
    with listening_target() as target:
        desk = admin("POST", "/hooks", 201, {"name": "desk", "url": target.url})
        alarm = {"name": "alarm", "channel": team.channel, "events": ["job.failed"]}
        alarm = admin("POST", "/hooks", 201, alarm)
        with town.fault("notion", team.resolving, "status", status=401, times=None):
            [failed] = team.thread("The bell is loud", "@bot wrap the bell").settled()
        [completed] = team.thread("The bell is mute", "@bot oil the bell").settled()
        town.team("neighbours").thread("The drum is loud", "@bot wrap the drum").settled()
        told = sent(admin, desk, 2)
        [alarmed] = sent(admin, alarm, 1)
        heard = {body["data"]["job_id"]: body for body in target.bodies(desk["signing_secret"])}
        assert len(target.ids) == len(set(target.ids)) == 2
    assert {id: body["type"] for id, body in heard.items()} == dict(zip((completed.id, failed.id), ENDED, strict=True))
    assert {(each["status"], each["tries"]) for each in [*told, alarmed]} == {("sent", 1)}
    job = admin.job(completed.id)
    shown = heard[completed.id]["data"]
    assert (shown["status"], shown["finished_at"], shown["links"]) == (job["status"], job["finished_at"], job["links"])
    assert (shown["title"], shown["summary"]) == (None, None)
    query = f"team_id={team.slack['team_id']}&channel={team.channel}"
    said = [each["text"] for each in town.ask("GET", f"/sandbox/state?{query}")["slack"]["threads"] if each["is_bot"]]
    assert len(said) == 1
    assert said[0].startswith("❌ A job has failed") and failed.id in said[0]
