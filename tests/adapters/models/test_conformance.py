"""Language models hold to what every analyst must, with the providers' own clients in front of the sandbox."""

import pytest

from tests.adapters.analyst_conformance import AnalystConformance
from tests.adapters.models.asking import KINDS, analyst
from tests.conftest import Sandbox


@pytest.mark.parametrize("kind", KINDS)
class TestModelAnalyst(AnalystConformance):
    """The suite, run against each kind of API."""

    @pytest.fixture(autouse=True)
    def choose(self, sandbox: Sandbox, kind: str) -> None:
        """Take the analyst of one kind."""
        self.analyst = analyst(sandbox, kind)
