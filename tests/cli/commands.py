"""Lets tests type `discubot …` as a person does."""

import json
from typing import Any

from click.testing import CliRunner, Result

from discubot_pipeline.cli.main import main


class Shell:
    """A person at the keyboard."""

    def __call__(self, *words: str, input: str | None = None, ok: bool = True) -> Result:
        """Run a command, which must succeed unless said otherwise."""
        result = CliRunner().invoke(main, words, input=input)
        assert (result.exit_code == 0) is ok, result.output
        return result

    def json(self, *words: str, ok: bool = True) -> Any:
        """Run a command and read its JSON."""
        return json.loads(self(*words, "--json", ok=ok).stdout)

    def refused(self, *words: str) -> str:
        """Run a command that must fail with one sentence; gives that."""
        result = self(*words, ok=False)
        assert "Traceback" not in result.output
        return result.output.strip().removeprefix("Error: ")
