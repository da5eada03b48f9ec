"""`discubot ingest`: sends a discussion to the generic intake of this installation."""

from typing import Any

from discubot_pipeline.adapters.intake import post
from discubot_pipeline.cli.options import services
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.delivery import SourceType
from discubot_pipeline.domain.errors import Permanent


def named(configs: list[SourceConfig], name: str | None) -> SourceConfig:
    """Pick a source by name, or the only one."""
    found = [config for config in configs if name in (None, config.name)]
    if len(found) != 1:
        known = ", ".join(config.name for config in configs) or "none"
        raise Permanent("unknown_source", f"name one source; there are: {known}")
    return found[0]


def send(body: bytes, name: str | None) -> dict[str, Any]:
    """Post a discussion to the generic intake, signed as any other tool would sign it."""
    here = services()
    config = named(here.stores.configs.sources(SourceType.GENERIC), name)
    return post(config, here.settings.receiver_url, body, here.outside.clock.now())
