"""A task goes to every output that wants its domain, else to the default."""

from uuid import UUID

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.analysis import DetectedTask
from discubot_pipeline.domain.config import NotionCredentials, Output
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.routing import route


def output(name: str, *domains: str, is_default: bool = False, active: bool = True) -> Output:
    """Make an output."""
    id = UUID(int=sum(name.encode()))
    return Output(
        id=id,
        team_id=id,
        source_config_id=id,
        name=name,
        database_id="db",
        data_source_id=None,
        domains=domains,
        is_default=is_default,
        active=active,
        credentials=NotionCredentials(token=SecretStr("x")),
    )


def routed(domain: str | None, *outputs: Output) -> list[str]:
    """Name the outputs that a task of a domain goes to."""
    return [chosen.name for chosen in route(DetectedTask(title="t", domain=domain), outputs)]


DEFAULT, DESIGN, CODE = output("default", is_default=True), output("design", "UX", "ui"), output("code", "ui", "api")


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        ("ux", ["design"]),
        ("API", ["code"]),
        ("ui", ["design", "code"]),
        ("legal", ["default"]),
        ("", ["default"]),
        (None, ["default"]),
    ],
)
def test_a_domain_chooses_its_outputs(domain: str | None, names: list[str]) -> None:
    """All that match, in whatever case they are written; the default only when none does."""
    assert routed(domain, DEFAULT, DESIGN, CODE) == names


def test_an_output_that_is_switched_off_gets_nothing() -> None:
    """Its tasks go to the default, and a default that is off is none."""
    assert routed("ux", DEFAULT, output("design", "ux", active=False)) == ["default"]
    with pytest.raises(Permanent, match="no_output"):
        routed("ux", output("off", is_default=True, active=False))


def test_without_match_and_default_a_person_is_asked() -> None:
    """The message says what to set."""
    with pytest.raises(Permanent, match="mark one output as the default"):
        routed("legal", DESIGN, CODE)
    with pytest.raises(Permanent, match="no_output"):
        routed(None)


def test_a_default_with_domains_is_both() -> None:
    """It takes what matches, beside others, and what nobody else takes."""
    both = output("both", "ui", is_default=True)
    assert routed("ui", both, CODE) == ["both", "code"]
    assert routed("legal", CODE, both) == ["both"]
