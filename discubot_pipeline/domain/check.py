"""One line of `discubot doctor`: what was looked at, how it stands, and what to do."""

from enum import StrEnum

from discubot_pipeline.domain.job import Value


class State(StrEnum):
    """How a check ended; skipped is no fault."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Check(Value):
    """The result of one check."""

    name: str
    state: State
    message: str
    advice: str | None = None


def passed(name: str, message: str) -> Check:
    """Report what is as it should be."""
    return Check(name=name, state=State.PASSED, message=message)


def failed(name: str, message: str, advice: str | None = None) -> Check:
    """Report a fault and what to do."""
    return Check(name=name, state=State.FAILED, message=message, advice=advice)


def skipped(name: str, message: str, advice: str | None = None) -> Check:
    """Report what could not be looked at, or need not be."""
    return Check(name=name, state=State.SKIPPED, message=message, advice=advice)
