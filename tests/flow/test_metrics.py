"""What Prometheus sees of the running system, through its own parser."""

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from discubot_pipeline.domain.job import Stage
from tests.flow.runs import eventually
from tests.flow.town import Town

STAGES = "discubot_stage_seconds_count"
DONE = {"job": "discussion_job", "state": "completed"}


def scraped(town: Town) -> list[Sample]:
    """Scrape as Prometheus does, with the token that the state folder holds."""
    token = (town.system.home / "metrics.token").read_text()
    answer = town.receiver.call("GET", "/metrics", headers={"authorization": f"Bearer {token}"})
    assert answer.is_success, answer.text
    return [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]


def total(samples: list[Sample], name: str, **labels: str) -> float:
    """Sum up what has a name and these labels."""
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


def test_a_thread_leaves_its_figures(town: Town) -> None:
    """A webhook, six stages in another process, and the calls to Slack and Notion; nothing says whose they were."""
    before = scraped(town)
    team = town.team("measured")
    [run] = team.thread("The lamp flickers", "@bot replace the lamp").settled()
    assert run.status == "SUCCESS"

    def risen(name: str, **labels: str) -> float:
        return total(after, name, **labels) - total(before, name, **labels)

    def all_stages() -> list[Sample] | None:
        now = scraped(town)
        done = [total(now, STAGES, stage=stage, **DONE) - total(before, STAGES, stage=stage, **DONE) for stage in Stage]
        return now if min(done) >= 1 else None

    after = eventually(all_stages, "the stages to be counted")
    assert risen("discubot_webhook_seconds_count", source="slack", outcome="accepted") >= 1
    assert 0 < risen("discubot_stage_seconds_sum", **DONE) < 60
    assert risen("discubot_external_call_seconds_count", service="Slack", status="200") >= 3
    assert risen("discubot_external_call_seconds_count", service="Notion", status="200") >= 1
    assert total(after, "discubot_inbox_deliveries", source="slack", status="pending", trigger="webhook") == 0
    assert total(after, "discubot_database_up") == 1
    assert team.name not in str(after) and str(team.row.id) not in str(after)
