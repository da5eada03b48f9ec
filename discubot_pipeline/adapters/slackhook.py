"""Tells the ends of jobs to a channel of Slack, with the token of one of the team's sources."""

from datetime import timedelta
from json import dumps
from typing import Any

from discubot_pipeline.adapters import mrkdwn
from discubot_pipeline.adapters.slack import token_of
from discubot_pipeline.adapters.slackapi import Identity, Said, SlackApi
from discubot_pipeline.domain.config import SourceConfig
from discubot_pipeline.domain.errors import Unanswered
from discubot_pipeline.domain.hook import HookEvent, Notice

EVENT = "discubot_hook"
SKEW, WEEK = timedelta(minutes=5), timedelta(days=7)
"""How much earlier and later than a job's end its message may stand in the channel."""
HEADS = {
    HookEvent.COMPLETED: "✅ A job is completed",
    HookEvent.PARTIAL: "⚠️ A job is completed in part",
    HookEvent.FAILED: "❌ A job has failed",
    HookEvent.CANCELLED: "🚫 A job was cancelled",
}
TEST = "👋 This is a test: the ends of jobs will be told here."


class SlackHerald:
    """One channel. A message carries its id as metadata, and is looked for before it is posted again."""

    def __init__(self, config: SourceConfig, base_url: str, channel: str) -> None:
        self._token, self._url, self._channel = token_of(config), base_url, channel

    def tell(self, notice: Notice, is_repeated: bool) -> None:
        """Post a message, unless it stands there already."""
        api = SlackApi(self._token, self._url)
        try:
            if not (is_repeated and self._is_there(api, notice)):
                self._post(api, notice)
        finally:
            api.close()

    def _post(self, api: SlackApi, notice: Notice) -> None:
        fields = {
            "channel": self._channel,
            "text": mrkdwn.fit(words(notice)),
            "unfurl_links": "false",
            "unfurl_media": "false",
            "metadata": dumps({"event_type": EVENT, "event_payload": {"key": str(notice.id)}}),
        }
        try:
            api.write("chat.postMessage", **fields)
        except Unanswered:
            if not self._is_there(api, notice):
                raise

    def _is_there(self, api: SlackApi, notice: Notice) -> bool:
        """Look through what the channel has heard since the job has ended."""
        me = api.read(Identity, "auth.test")
        oldest, latest = (f"{(notice.timestamp + by).timestamp():.6f}" for by in (-SKEW, WEEK))
        heard = api.history(self._channel, oldest, latest, 100, include_all_metadata="true")
        ours = [Said.model_validate(each) for each in heard if (each.get("metadata") or {}).get("event_type") == EVENT]
        return any(me.said(said) and said.has_key(EVENT, str(notice.id)) for said in ours)


def words(notice: Notice) -> str:
    """Write a message for people: how it ended, title and summary where they are told, and where to go on."""
    if notice.type not in set(HookEvent):
        return TEST
    job = notice.data
    title = job.get("title") or job["job_name"]
    why = f" ({job['reason']})" if job.get("reason") else ""
    head = mrkdwn.escape(f"{HEADS[HookEvent(notice.type)]}: {title}{why}")
    lines = [head, mrkdwn.escape(job.get("summary") or ""), " · ".join(links(job["links"]))]
    return "\n".join(line for line in lines if line)


def links(at: dict[str, Any]) -> list[str]:
    """Write the links of a job."""
    tasks = [mrkdwn.link(f"Task {number}", url) for number, url in enumerate(at["tasks"], 1)]
    thread = [mrkdwn.link("Thread", at["thread"])] if at.get("thread") else []
    return [*thread, *tasks, mrkdwn.link("Job", at["dagster"])]
