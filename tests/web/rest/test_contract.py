"""The API keeps to its own description, whatever it is asked: Schemathesis makes the questions from the document."""

import os
from collections.abc import Iterator

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import strategies as st
from schemathesis import APIOperation, Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from discubot_pipeline.domain.job import RunOutcome, Stage, Trigger
from discubot_pipeline.settings import Settings
from discubot_pipeline.store.stores import Stores
from discubot_pipeline.store.tables import Role, StepStatus
from discubot_pipeline.wiring import Services
from tests.defs.target import listening_target
from tests.tracking.ledger import Ledger
from tests.web.receiver import Receiver
from tests.web.rest.conftest import Caller, Enter

CASES = int(os.environ.get("DISCUBOT_FUZZ_CASES", "1000"))
"""How many questions, of all kinds together; five thousand find no more."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ENDLESS = "/events"
"""Streams of events, which never end; they have tests of their own."""


@pytest.fixture
def receiver(services: Services) -> Iterator[Receiver]:
    """Run the receiver on a port."""
    receiver = Receiver(services)
    yield receiver
    receiver.stop()


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Let hooks reach this machine."""
    return settings.model_copy(update={"hooks_to_loopback": True})


@pytest.fixture
def known(admin: Caller, stores: Stores, ledger: Ledger, mine: dict[str, str]) -> Iterator[dict[str, str]]:
    """Make one of each; gives their ids by the word that their paths begin with."""
    message = {"author": "anna", "role": "user", "content": "The sign is loose"}
    discussion = admin("POST", "/discussions", 201, {"title": "The sign", "messages": [message]})["id"]
    operation = admin("POST", "/operations", 202, {"kind": "export"})["job_id"]
    run = ledger.run("SUCCESS", **mine)
    stores.notes.open(run, run, Trigger.WEBHOOK, {}, "1", team_name="acme")
    stores.steps.begin(run, "analyze_thread", Stage.AI_ANALYSIS, {"thread": 1})
    stores.steps.end(run, "analyze_thread", StepStatus.COMPLETED)
    ids = {"discussions": discussion, "operations": operation, "executions": run, "jobs": run}
    with listening_target() as target:
        hook = admin("POST", "/hooks", 201, {"name": "desk", "url": target.url})["id"]
        stores.notes.close(run, RunOutcome.COMPLETED)
        yield ids | {"hooks": hook}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", [Role.ADMIN, Role.MEMBER])
def test_every_answer_is_one_that_is_described(
    role: Role, receiver: Receiver, enter: Enter, known: dict[str, str]
) -> None:
    """Its status, its type and its shape; nothing that is sent is an error of ours."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{receiver.port}/api/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    asked = [operation for operation in operations if not operation.path.endswith(ENDLESS)]
    asked.sort(key=lambda operation: operation.method.lower() == "delete")
    assert len(asked) > 30
    assert known.keys() <= {root_of(operation) for operation in asked}
    headers = {"authorization": f"Bearer {enter(name='fuzz', role=role).token}"}
    for operation in asked:
        probe(operation, headers, known, CASES // len(asked) // len(Role) + 1)


def probe(operation: APIOperation, headers: dict[str, str], known: dict[str, str], cases: int) -> None:
    """Ask for one thing in many ways, in half of them for something that there is."""

    @hypothesis.settings(max_examples=cases, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(), is_known=st.booleans())
    def ask(case: Case, is_known: bool) -> None:
        if is_known and case.path_parameters:
            id = known.get(root_of(operation))
            case.path_parameters = {name: id or value for name, value in case.path_parameters.items()}
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()


def root_of(operation: APIOperation) -> str:
    """Give the word that a path begins with."""
    return str(operation.path.removeprefix("/api/").split("/")[0])
