"""Each way in which a model can fail has its verdict, whatever API it has, and nothing is tried again in secret."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.analysis import Unusable
from discubot_pipeline.domain.errors import Permanent, PipelineError, Transient
from discubot_pipeline.domain.meters import Meter, tally
from tests.adapters.models.asking import KINDS, SERVICES, THREAD, analyst, asks, calls, choice, told
from tests.conftest import Sandbox
from tests.waiting import until

FAILURES: list[tuple[dict[str, Any], type[PipelineError], str, float | None, int]] = [
    ({"kind": "ratelimit", "retry_after": 7}, Transient, "rate_limited", 7, 1),
    ({"kind": "ratelimit", "retry_after": 4_000_000_000}, Transient, "rate_limited", 1e9, 1),
    ({"kind": "ratelimit"}, Transient, "rate_limited", None, 1),
    ({"kind": "quota"}, Permanent, "model_quota", None, 1),
    ({"kind": "status", "status": 402}, Permanent, "model_quota", None, 1),
    ({"kind": "status", "status": 401}, Permanent, "model_auth", None, 1),
    ({"kind": "status", "status": 403}, Permanent, "model_auth", None, 1),
    ({"kind": "status", "status": 404}, Permanent, "model_unknown", None, 1),
    ({"kind": "status", "status": 400}, Permanent, "model_refused_request", None, 1),
    ({"kind": "status", "status": 413}, Permanent, "model_refused_request", None, 1),
    ({"kind": "status", "status": 409}, Transient, "model_down", None, 1),
    ({"kind": "status", "status": 500}, Transient, "model_down", None, 1),
    ({"kind": "status", "status": 503}, Transient, "model_down", None, 1),
    ({"kind": "status", "status": 529}, Transient, "model_down", None, 1),
    ({"kind": "html", "status": 502}, Transient, "model_down", None, 1),
    ({"kind": "drop_before"}, Transient, "model_down", None, 1),
    ({"kind": "drop_after"}, Transient, "model_down", None, 1),
    ({"kind": "refusal"}, Unusable, "model_refusal", None, 1),
    ({"kind": "truncated", "times": 2}, Unusable, "model_truncated", None, 1),
    ({"kind": "invalid_json", "times": 2}, Unusable, "model_garbage", None, 2),
    ({"kind": "off_schema", "times": 2}, Unusable, "model_garbage", None, 2),
    ({"kind": "wrong_enum", "times": 2}, Unusable, "model_garbage", None, 2),
    ({"kind": "empty", "times": 2}, Unusable, "model_garbage", None, 2),
]
MENDED = ("invalid_json", "off_schema", "wrong_enum", "empty")
BILLED = ("refusal", "truncated", "off_schema")


def named(value: Any) -> str:
    """Name a test by its fault."""
    return "-".join(map(str, value.values())) if isinstance(value, dict) else ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("fault", "verdict", "reason", "wait", "requests"), FAILURES, ids=named)
def test_a_failure_has_its_verdict(
    sandbox: Sandbox,
    kind: str,
    fault: dict[str, Any],
    verdict: type[PipelineError],
    reason: str,
    wait: float | None,
    requests: int,
) -> None:
    """The verdict says whether waiting helps and for how long, quotes neither thread nor key, and is counted."""
    before, _ = len(calls(sandbox, kind)), tally.take()
    with sandbox.fault(service=SERVICES[kind], **fault), pytest.raises(verdict) as raised:
        analyst(sandbox, kind).analyze(THREAD)
    assert raised.value.reason == reason
    counted = [sum.labels for sum in tally.take() if sum.meter is Meter.CALL_SECONDS]
    assert counted == [(choice(sandbox, kind).provider, reason)]
    if isinstance(raised.value, Transient):
        assert raised.value.retry_after == (None if wait is None else timedelta(seconds=wait))
    if (kind, reason) == ("anthropic-tool", "model_truncated"):
        requests = 2  # half a tool call is whole JSON that lacks fields, so it is asked for again
    assert len(calls(sandbox, kind)) - before == requests
    assert "Pay button" not in raised.value.message and "sk-" not in raised.value.message
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", MENDED)
def test_one_bad_answer_is_mended_by_asking_again(sandbox: Sandbox, kind: str, fault: str) -> None:
    """The model hears what was wrong, answers well, and both answers are paid for."""
    with sandbox.fault(service=SERVICES[kind], kind=fault):
        judgement = analyst(sandbox, kind).analyze(THREAD)
    first, second = asks(sandbox)[-2:]
    assert judgement.findings.tasks
    assert second["turns"] > first["turns"]
    assert judgement.usage.prompt_tokens > (len(first["system"]) + len(first["prompt"])) // 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", BILLED)
def test_an_unusable_answer_is_paid_for(sandbox: Sandbox, kind: str, fault: str) -> None:
    """The verdict carries what the answer took."""
    with sandbox.fault(service=SERVICES[kind], kind=fault, times=None), pytest.raises(Unusable) as raised:
        analyst(sandbox, kind).analyze(THREAD)
    assert raised.value.usage.prompt_tokens > 100


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_in_the_middle_of_an_answer_is_a_refusal(sandbox: Sandbox, kind: str) -> None:
    """Words before the refusal change nothing."""
    script = {"match": "half refused", "answer": '{"summary": "Well', "stop": "refusal", "times": 2}
    sandbox.control("POST", "/models/scripts", script)
    with pytest.raises(Unusable, match="model_refusal"):
        analyst(sandbox, kind).analyze(THREAD.model_copy(update={"title": "A thread, half refused"}))


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_that_shows_a_web_page_is_no_model(sandbox: Sandbox, kind: str) -> None:
    """What a wrong address or a portal answers is not taken for an answer."""
    with sandbox.fault(service=SERVICES[kind], kind="web_page"), pytest.raises((Transient, Unusable)) as raised:
        analyst(sandbox, kind).analyze(THREAD)
    assert raised.value.reason in ("model_down", "model_garbage")


@pytest.mark.parametrize("kind", KINDS)
def test_when_time_is_up_the_connection_is_closed(sandbox: Sandbox, kind: str) -> None:
    """A model that does not answer in time is not waited for, and hears that nobody listens any more."""
    before = len(calls(sandbox, kind))
    with sandbox.fault(service=SERVICES[kind], kind="hang"), pytest.raises(Transient, match="model_down"):
        analyst(sandbox, kind, patience=0.2).analyze(THREAD)
    seen = until(lambda: calls(sandbox, kind)[before:])
    assert [call["error"] for call in seen] == ["left"]


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_at_the_address(sandbox: Sandbox, kind: str, unused_tcp_port: int) -> None:
    """A service that is not there may be there later."""
    with pytest.raises(Transient, match="model_down"):
        analyst(sandbox, kind, url=f"http://127.0.0.1:{unused_tcp_port}/v1").analyze(THREAD)


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_that_is_not_there(sandbox: Sandbox, kind: str) -> None:
    """A wrong name is told from an outage."""
    with pytest.raises(Permanent, match="model_unknown"):
        analyst(sandbox, kind, model="claude-does-not-exist").analyze(THREAD)


@pytest.mark.parametrize("kind", ["anthropic", "openai"])
def test_a_wrong_key_and_no_key(sandbox: Sandbox, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused key is named as such; without one nobody is asked, whatever the environment holds."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-sandbox-acme")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-sandbox-acme")
    before = len(calls(sandbox, kind))
    for key, requests in ((SecretStr("sk-wrong"), 1), (None, 0)):
        with pytest.raises(Permanent, match="model_auth"):
            analyst(sandbox, kind, api_key=key).analyze(THREAD)
        assert len(calls(sandbox, kind)) - before == requests
        before = len(calls(sandbox, kind))


def test_a_good_answer_with_more_than_was_asked_for_is_fine(sandbox: Sandbox) -> None:
    """Fields that nobody asked for are passed over."""
    sandbox.control("POST", "/models/scripts", {"match": "A richer", "answer": told(mood="sunny"), "times": 1})
    judgement = analyst(sandbox, "compatible").analyze(THREAD.model_copy(update={"title": "A richer thread"}))
    assert judgement.findings.summary == "All is said."


def test_a_model_on_this_machine_is_asked_without_a_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies of the environment are for the world."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{sandbox.url}/healthz")
    assert analyst(sandbox, "openai").analyze(THREAD).findings.tasks
