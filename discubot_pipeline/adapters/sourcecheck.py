"""Looks whether the credentials of a source work, and says what to do. For `discubot doctor`."""

from standardwebhooks.webhooks import Webhook

from discubot_pipeline.adapters.slackapi import SlackApi
from discubot_pipeline.domain.check import Check, failed, passed
from discubot_pipeline.domain.config import GenericCredentials, SlackCredentials, SourceConfig
from discubot_pipeline.domain.errors import PipelineError

SLACK_SCOPES = (
    *("app_mentions:read", "channels:history", "groups:history", "im:history", "mpim:history"),
    *("chat:write", "reactions:write", "users:read", "users:read.email"),
)


def check_slack(config: SourceConfig, base_url: str) -> list[Check]:
    """Ask Slack who the token speaks for, and compare its scopes with those that are needed."""
    if not isinstance(config.credentials, SlackCredentials):
        return [failed("token", "there is no bot token", "discubot source set --bot-token -")]
    api = SlackApi(config.credentials.bot_token.get_secret_value().strip(), base_url)
    try:
        me, scopes = api.identify()
    except PipelineError as error:
        return [failed("token", error.message, "discubot source set --bot-token -")]
    finally:
        api.close()
    checks = [passed("token", f"speaks for {me.user_id} in {me.url}"), workspace_check(config, me.team_id)]
    if scopes is None:
        return checks
    lacking = [scope for scope in SLACK_SCOPES if scope not in scopes]
    if lacking:
        advice = "add them under OAuth & Permissions and install the app again"
        return [*checks, failed("scopes", f"lacking: {', '.join(lacking)}", advice)]
    return [*checks, passed("scopes", f"all {len(SLACK_SCOPES)} that are needed")]


def workspace_check(config: SourceConfig, team_id: str | None) -> Check:
    """Compare the workspace of the token with the one that events are taken from."""
    if config.workspace in (None, team_id):
        return passed("workspace", team_id or "any")
    message = f"the token is of {team_id}, events are taken from {config.workspace}"
    return failed("workspace", message, f"discubot source set --workspace {team_id}")


def check_generic(config: SourceConfig) -> list[Check]:
    """Look whether the shared secret can sign anything."""
    if isinstance(config.credentials, GenericCredentials):
        try:
            Webhook(config.credentials.signing_secret.get_secret_value())
            return [passed("signing secret", "is in the form of Standard Webhooks")]
        except (ValueError, RuntimeError):
            pass
    advice = "enter one as whsec_… (base64): discubot source set --signing-secret -"
    return [failed("signing secret", "is not in the form of Standard Webhooks", advice)]
