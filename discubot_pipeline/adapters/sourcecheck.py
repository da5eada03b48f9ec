"""Looks whether the credentials of a source work, and says what to do. For `discubot doctor`."""

from standardwebhooks.webhooks import Webhook

from discubot_pipeline.adapters.http import Pace
from discubot_pipeline.adapters.notionapi import Notion
from discubot_pipeline.adapters.slackapi import SlackApi
from discubot_pipeline.domain.check import Check, failed, passed
from discubot_pipeline.domain.config import GenericCredentials, NotionSourceCredentials, SlackCredentials, SourceConfig
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


def check_notion(config: SourceConfig, base_url: str, version: str, pace: Pace) -> list[Check]:
    """Ask Notion who the token speaks for, and look how far the verification token has come."""
    own = config.credentials
    if not isinstance(own, NotionSourceCredentials):
        return [failed("token", "there is no token", "discubot source set --token -")]
    notion = Notion(own.token.get_secret_value().strip(), base_url, version, pace)
    try:
        me = notion.read("GET", "/v1/users/me")
    except PipelineError as error:
        return [failed("token", error.message, "discubot source set --token -"), handshake_check(own)]
    finally:
        notion.close()
    workspace = (me.get("bot") or {}).get("workspace_id")
    checks = [passed("token", f"speaks for {me.get('name') or me.get('id')}"), handshake_check(own)]
    return [*checks, workspace_check(config, workspace)] if workspace else checks


def handshake_check(own: NotionSourceCredentials) -> Check:
    """Look whether Notion's verification token has come, and has been entered in Notion."""
    if own.signing_secret is None:
        return failed(
            "handshake", own.handshake, "in Notion make a subscription with the address of discubot source show"
        )
    if own.is_unseen:
        return failed("handshake", "received, not entered in Notion yet", "discubot source token shows it")
    return passed("handshake", "the verification token is there")


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
