"""Most processes never ask a model, and do not load what asking takes."""

import subprocess
import sys

CHECK = """
import sys
import discubot_pipeline.definitions, discubot_pipeline.web.app, discubot_pipeline.cli.main
from discubot_pipeline.adapters.models.analyst import ModelAnalyst
heavy = {"pydantic_ai", "openai", "anthropic"} & set(sys.modules)
sys.exit(f"loaded: {heavy}" if heavy else 0)
"""


def test_nothing_heavy_is_loaded_before_the_first_question() -> None:
    """Code server, receiver and command line start without the clients of language models."""
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
