"""What the page draws, as one JSON value. Called by the control API's state endpoint."""

from emoji import emojize as with_emoji

from discubot_pipeline.sandbox.notion import values
from discubot_pipeline.sandbox.notion.state import Database, NotionState, Page, Property
from discubot_pipeline.sandbox.slack import shapes
from discubot_pipeline.sandbox.slack.state import Channel, Message, Workspace
from discubot_pipeline.sandbox.wire import Json
from discubot_pipeline.sandbox.world import World

SHOWN_ROOTS = 40
SHOWN_REPLIES = 60
SHOWN_CARDS = 50


def of(world: World, team_id: str | None, channel_id: str | None) -> Json:
    """Describe one channel with its newest threads, and the boards of all databases."""
    workspaces = world.slack.workspaces
    home = workspaces.get(team_id or "") or next(iter(workspaces.values()), None)
    return {
        "version": world.version,
        "links": world.links,
        "slack": _slack(home, channel_id) if home else None,
        "workspaces": [{"team_id": w.team_id, "name": w.name} for w in workspaces.values()],
        "boards": [_board(world.notion, database) for database in world.notion.databases.values()],
        "documents": [
            {"title": values.title_of(world.notion, page), "url": world.notion.url(page.id)}
            for page in world.notion.pages.values()
            if page.tokens and not page.in_trash
        ],
    }


def _slack(home: Workspace, channel_id: str | None) -> Json:
    channel = home.channels.get(channel_id or "") or next(iter(home.channels.values()), None)
    return {
        "team_id": home.team_id, "name": home.name, "bot": {"id": home.bot_user_id, "name": home.bot_name},
        "connected": home.events_url is not None or home.socket_mode,
        "channels": [{"id": c.id, "name": _name(home, c), "is_im": c.is_im} for c in home.channels.values()],
        "people": [{"id": p.id,
        "name": p.name, "real_name": p.real_name, "is_bot": p.is_bot} for p in home.people.values()],
        "channel": channel.id if channel else None,
        "threads": _threads(home, channel) if channel else [],
    }  # fmt: skip


def _name(home: Workspace, channel: Channel) -> str:
    other = home.people.get(channel.im_user or "")
    return other.real_name if channel.is_im and other else channel.name


def _threads(home: Workspace, channel: Channel) -> list[Json]:
    roots = [channel.messages[ts] for ts in channel.roots[-SHOWN_ROOTS:]]
    return [_thread(home, channel, root) for root in roots]


def _thread(home: Workspace, channel: Channel, root: Message) -> Json:
    replies = channel.thread(root.ts)
    shown = [_message(home, channel, reply) for reply in replies[-SHOWN_REPLIES:]]
    return {**_message(home, channel, root), "reply_count": len(replies), "replies": shown}


def _message(home: Workspace, channel: Channel, message: Message) -> Json:
    person = home.people.get(message.user)
    return {
        "ts": message.ts, "user": message.user, "name": person.real_name if person else message.user,
        "is_bot": message.is_bot, "text": _drawn(message.text or _fallback(message)),
        "edited": message.edited is not None,
        "reactions": [{"name": r["name"], "count": r["count"], "emoji": shapes.glyph(r["name"])}
                      for r in shapes.reactions(message)],
        "permalink": shapes.permalink(home, channel, message),
        "files": [str(file.get("name", "file")) for file in message.extras.get("files", [])],
    }  # fmt: skip


def _drawn(text: str) -> str:
    """Replace short codes by emoji."""
    return with_emoji(text, language="alias")


def _fallback(message: Message) -> str:
    """Collect the words of blocks for a message that has no text."""
    texts = [block.get("text") for block in message.extras.get("blocks", [])]
    return "\n".join(str(t.get("text", "")) if isinstance(t, dict) else str(t) for t in texts if t)


def _board(state: NotionState, database: Database) -> Json:
    rows = [p for id in database.sources for p in state.rows(state.sources[id]) if not p.in_trash]
    columns = state.sources[database.sources[0]].properties
    status = next((c for c in columns.values() if c.type == "status"), None)
    names = [option.name for option in status.options] if status else ["All"]
    lanes: dict[str, list[Page]] = {name: [] for name in names}
    for row in reversed(rows):
        lanes.get(_status(state, row) or "", lanes[names[0]]).append(row)
    return {
        "id": database.id,
        "title": database.title,
        "status": status.name if status else None,
        "count": len(rows),
        "lanes": [_lane(state, name, found) for name, found in lanes.items()],
    }


def _lane(state: NotionState, name: str, rows: list[Page]) -> Json:
    """Draw the newest cards of a column; cards without a status stand in the first."""
    return {"name": name, "count": len(rows), "cards": [_card(state, row) for row in rows[:SHOWN_CARDS]]}


def _status(state: NotionState, page: Page) -> str | None:
    columns = state.sources[str(page.source_id)].properties.values()
    return _first(state, page, [c for c in columns if c.type == "status"])


def _card(state: NotionState, page: Page) -> Json:
    columns = state.sources[str(page.source_id)].properties.values()
    return {
        "id": page.id, "url": state.url(page.id), "title": values.title_of(state, page) or "Untitled",
        "status": _status(state, page),
        "chips": [{"name": c.name, "value": values.flat(state, c, page)} for c in columns
                  if c.type == "select" and values.flat(state, c, page)],
        "tags": [tag for c in columns if c.type == "multi_select" for tag in values.flat(state, c, page)],
        "people": [name for c in columns if c.type == "people" for name in values.flat(state, c, page)],
        "due": _first(state, page, [c for c in columns if c.type == "date"]),
        "blocks": sum(1 for _ in state.walk(page.children)),
    }  # fmt: skip


def _first(state: NotionState, page: Page, columns: list[Property]) -> str | None:
    return values.flat(state, columns[0], page) if columns else None
