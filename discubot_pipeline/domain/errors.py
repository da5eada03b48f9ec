"""The one error tree: adapters and stages raise it, `defs` turns it into Dagster's retry, failure or green end."""

from datetime import timedelta


class PipelineError(Exception):
    """A verdict on the work: `reason` is a constant (column, log field and label at once), `message` is for people."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class Transient(PipelineError):
    """Worth another try: after `retry_after` where the other side named one, else soon."""

    def __init__(self, reason: str, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after


class Unanswered(Transient):
    """A call whose outcome is unknown: it may have been carried out. Look before doing it again."""


class Permanent(PipelineError):
    """No retry helps: something has to be changed by a person."""


class Ignored(PipelineError):
    """Nothing to do here, and that is fine."""


def reason_of(error: BaseException) -> str:
    """Give the reason code of an error; what is no verdict is a fault of ours."""
    return error.reason if isinstance(error, PipelineError) else "internal"
