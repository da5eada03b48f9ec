"""Imports of the past, as a person types them, and their runs."""

import subprocess
import sys

from discubot_pipeline.settings import inherited_environment
from tests.conftest import EXTERNAL
from tests.flow.runs import Run
from tests.flow.team import Team
from tests.flow.town import Town


def discubot(town: Town, *words: str) -> "subprocess.Popen[str]":
    """Type a command as a person does."""
    settings = town.system.settings
    named = {"DISCUBOT_HOME": str(settings.home), "DISCUBOT_WEB_PORT": str(settings.web_port)}
    named |= {"DISCUBOT_DATABASE_URL": EXTERNAL} if EXTERNAL else {}
    command = [sys.executable, "-m", "discubot_pipeline.cli.main", "backfill", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=inherited_environment() | named, stdout=pipe, stderr=pipe, text=True)


def imports(town: Town, team: Team) -> list[Run]:
    """List the runs of a team's imports."""
    return town.runs(pipelineName="backfill_job", tags=[{"key": "discubot/team", "value": team.name}])
