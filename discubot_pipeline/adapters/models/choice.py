"""Which model is asked, where, with which key and with which words of the team. Built by `wiring`."""

from dataclasses import dataclass

from pydantic import SecretStr

from discubot_pipeline.domain.preferences import AnalystKind


@dataclass(frozen=True)
class Choice:
    """A model behind one kind of API; `patience` is how many seconds an analysis may take, a second try included."""

    provider: AnalystKind
    model: str
    url: str
    api_key: SecretStr | None = None
    summary_prompt: str = ""
    task_prompt: str = ""
    patience: float = 90.0

    @property
    def name(self) -> str:
        """Say which model it is."""
        return f"{self.provider}:{self.model}"
