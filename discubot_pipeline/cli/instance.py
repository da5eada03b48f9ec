"""Writes Dagster's configuration into the state folder, with the limits of the run queue that the settings name."""

from pathlib import Path
from shutil import copyfile
from string import Template

from discubot_pipeline.settings import Launcher, Settings

PACKAGE = Path(__file__).parents[1]
LAUNCHERS = {
    Launcher.WARM: "{module: discubot_pipeline.warm.launcher, class: WarmRunLauncher,"
    " config: {socket: {env: DISCUBOT_WARM_SOCKET}}}",
    Launcher.STOCK: "{module: discubot_pipeline.defs.launcher, class: CarefulRunLauncher}",
}


def write_instance(home: Path, settings: Settings) -> None:
    """Write `dagster.yaml` and `workspace.yaml`, which all processes of Dagster read."""
    template = Template(config_file("dagster.yaml").read_text())
    (home / "dagster.yaml").write_text(
        template.substitute(settings.model_dump(), run_launcher=LAUNCHERS[settings.launcher])
    )
    copyfile(config_file("workspace.yaml"), home / "workspace.yaml")


def config_file(name: str) -> Path:
    """Find a file of Dagster's configuration: beside the package in a checkout, inside it when installed."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
