"""Stage 2, config_loading: the settings, the discussion's row, and a sign in the thread that we are at it."""

import logging

from discubot_pipeline.domain.discussion import ConfiguredDiscussion, ParsedDiscussion
from discubot_pipeline.domain.errors import Permanent, reason_of
from discubot_pipeline.domain.job import Job
from discubot_pipeline.ports import Mark, Outside
from discubot_pipeline.store.stores import Stores

logger = logging.getLogger(__name__)


def configure(parsed: ParsedDiscussion, job: Job, stores: Stores, outside: Outside) -> ConfiguredDiscussion:
    """Load the source config, open the discussion's row for this run, and put 👀 on the mention."""
    config = stores.configs.source(parsed.ref.source_config_id)
    if config.team_id != parsed.team_id:
        raise Permanent("wrong_team", "this source belongs to another team")
    if not any(output.active for output in stores.configs.outputs(config)):
        raise Permanent("no_output", f"source {config.name!r} has no active output: `discubot output add`")
    stores.discussions.open(parsed, job.run_id, ())
    react(parsed, Mark.SEEN, stores, outside)
    return ConfiguredDiscussion(parsed=parsed, config_version=config.version)


def react(parsed: ParsedDiscussion, mark: Mark, stores: Stores, outside: Outside) -> None:
    """Put a reaction on the mention; whatever is in its way is logged, and never fails the work."""
    if parsed.is_silent:
        return
    try:
        source = outside.source(stores.configs.source(parsed.ref.source_config_id))
        source.mark(parsed.ref.thread_id, parsed.mention_ids, mark)
    except Exception as error:
        logger.warning("reaction_failed", extra={"mark": mark.value, "reason": reason_of(error)})
