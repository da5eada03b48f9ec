"""What Prometheus is shown, and who may see it. Its own parser reads it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text
from pydantic import SecretStr

from discubot_pipeline import __version__
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.meters import Meter, Tally
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role
from discubot_pipeline.web import metrics
from discubot_pipeline.wiring import Services, build
from tests.adapters.slack_workspace import payload
from tests.web.receiver import Cable, Receiver, problem

TOKEN = "let me read"
MENTION = payload("app_mention")
Labels = frozenset[tuple[str, str]]
Samples = dict[tuple[str, Labels], float]


def bearer(token: str) -> dict[str, str]:
    """Show a token."""
    return {"authorization": f"Bearer {token}"}


def samples(receiver: Receiver, token: str = TOKEN) -> Samples:
    """Read all there is."""
    answer = receiver.http.get("/metrics", headers=bearer(token))
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in plain_text(answer.text)
        for sample in family.samples
    }


def labelled(**labels: str) -> Labels:
    """Write labels."""
    return frozenset(labels.items())


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every look be a new one."""
    monkeypatch.setattr(metrics, "FRESH_SECONDS", 0.0)


@pytest.fixture
def receiver(engine: sa.Engine, services: Services) -> Iterator[Receiver]:
    """Run a receiver with a token of its own, which has measured nothing yet."""
    yield from started(services, metrics_token=SecretStr(TOKEN))


def started(services: Services, **given: Any) -> Iterator[Receiver]:
    """Run a receiver with other settings."""
    built = build(services.settings.model_copy(update=given), pool_size=4)
    receiver = Receiver(built)
    yield receiver
    receiver.stop()
    built.close()


@pytest.mark.parametrize("headers", [{}, bearer("wrong"), {"authorization": "Bearer é".encode()}])
def test_nobody_reads_without_the_token(receiver: Receiver, headers: Any) -> None:
    """From this machine neither: a tunnel or a proxy in front of the receiver is this machine too."""
    answer = receiver.http.get("/metrics", headers=headers)
    assert problem(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_token_of_a_team_is_none_for_the_whole_system(receiver: Receiver, stores: Stores) -> None:
    """Not even an admin's."""
    team = stores.configs.add_team("acme", "test")
    token = stores.tokens.make(team.id, "anna", Role.ADMIN, "test")
    assert problem(receiver.http.get("/metrics", headers=bearer(token))) == (401, "unauthorized")


def test_the_token_is_made_where_none_is_set(engine: sa.Engine, services: Services) -> None:
    """It stands in the state folder, where Prometheus can be pointed to."""
    for receiver in started(services):
        receiver.http.get("/metrics")
        token = (services.settings.home / "metrics.token").read_text()
        assert len(token) > 40
        assert samples(receiver, token)["discubot_info", labelled(version=__version__)] == 1


def test_webhooks_are_counted_by_source_and_outcome(receiver: Receiver, slack_config: SourceConfig) -> None:
    """With the time that they took; words of strangers are no labels."""
    for body in (MENTION, MENTION, payload("message_changed"), payload("url_verification")):
        assert receiver.slack(slack_config, body).status_code == 200
    assert receiver.slack(slack_config, MENTION, secret="wrong").status_code == 401
    assert receiver.http.post("/hooks/teams/abc").status_code == 404
    found = samples(receiver)
    counted = {labels: value for (name, labels), value in found.items() if name == "discubot_webhook_seconds_count"}
    assert counted == {
        labelled(source="slack", outcome="accepted"): 1,
        labelled(source="slack", outcome="duplicate"): 1,
        labelled(source="slack", outcome="ignored"): 1,
        labelled(source="slack", outcome="answered"): 1,
        labelled(source="slack", outcome="refused"): 1,
        labelled(source="unknown", outcome="refused"): 1,
    }
    assert 0 < found["discubot_webhook_seconds_sum", labelled(source="slack", outcome="accepted")] < 10


def test_inboxes_are_shown_with_their_age(receiver: Receiver, slack_config: SourceConfig) -> None:
    """An inbox in which nothing waits shows 0."""
    receiver.slack(slack_config, MENTION)
    found = samples(receiver)
    for source, count in (("slack", 1), ("figma", 0)):
        where = labelled(source=source, status="pending", trigger="webhook")
        assert found["discubot_inbox_deliveries", where] == count
        assert (found["discubot_inbox_oldest_seconds", where] > 0) == bool(count)


def test_what_jobs_have_measured_is_shown(receiver: Receiver, stores: Stores) -> None:
    """Buckets hold all that was faster, as Prometheus wants them; nothing has a team's name."""
    tally = Tally()
    for seconds in (0.2, 3.0, 1000.0):
        tally.stage(seconds, "discussion_job", "ai_analysis", "completed")
    tally.call(0.1, "Notion", "429")
    tally.add(Meter.TOKENS, 70, "prompt")
    tally.add(Meter.DOLLARS, 0.5)
    stores.meters.add(tally.take())
    found = samples(receiver)
    stage = {"job": "discussion_job", "stage": "ai_analysis", "state": "completed"}
    steps = {
        le: found["discubot_stage_seconds_bucket", labelled(**stage, le=le)] for le in ("0.1", "0.25", "5.0", "+Inf")
    }
    assert steps == {"0.1": 0, "0.25": 1, "5.0": 2, "+Inf": 3}
    assert found["discubot_stage_seconds_sum", labelled(**stage)] == pytest.approx(1003.2)
    assert found["discubot_stage_seconds_count", labelled(**stage)] == 3
    assert found["discubot_external_call_seconds_count", labelled(service="Notion", status="429")] == 1
    assert found["discubot_model_tokens_total", labelled(kind="prompt")] == 70
    assert found["discubot_model_cost_usd_total", labelled()] == 0.5


@pytest.mark.usefixtures("fresh")
def test_queries_and_pool_are_shown(receiver: Receiver, slack_config: SourceConfig) -> None:
    """The receiver's own."""
    receiver.slack(slack_config, MENTION)
    found = samples(receiver)
    assert found["discubot_query_seconds_count", labelled(statement="WITH")] >= 1
    assert found["discubot_pool_connections", labelled(state="most")] == 8
    assert found["discubot_pool_connections", labelled(state="in_use")] == 0
    assert found["discubot_database_up", labelled()] == 1


def test_many_scrapers_ask_the_database_once(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as the figures are fresh."""
    monkeypatch.setattr(metrics, "FRESH_SECONDS", 3600.0)
    queries = "discubot_query_seconds_count", labelled(statement="SELECT")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: samples(receiver), range(20)))
    asked = samples(receiver)[queries]
    assert asked == samples(receiver)[queries] <= 5


@pytest.mark.usefixtures("fresh")
def test_a_database_that_is_away_is_shown(
    engine: sa.Engine, services: Services, database_url: str, slack_config: SourceConfig
) -> None:
    """What the receiver knows itself is shown all the same; the rest is left out, and back when it is."""
    cable = Cable(database_url)
    for receiver in started(services, metrics_token=SecretStr(TOKEN), database_url=cable.url):
        receiver.slack(slack_config, MENTION)
        cable.cut()
        assert receiver.slack(slack_config, MENTION).status_code == 503
        found = samples(receiver)
        assert found["discubot_database_up", labelled()] == 0
        assert found["discubot_webhook_seconds_count", labelled(source="slack", outcome="unavailable")] == 1
        assert "discubot_inbox_deliveries" not in {name for name, _ in found}
        assert sum(value for (name, _), value in found.items() if name == "discubot_query_errors_total") >= 1
        cable.mend()
        assert samples(receiver)["discubot_database_up", labelled()] == 1
    cable.cut()


def test_who_asks_for_open_metrics_gets_it(receiver: Receiver) -> None:
    """As Prometheus does by default."""
    headers = bearer(TOKEN) | {"accept": "application/openmetrics-text; version=1.0.0"}
    answer = receiver.http.get("/metrics", headers=headers)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "discubot_webhook_seconds" in {family.name for family in open_metrics(answer.text)}
