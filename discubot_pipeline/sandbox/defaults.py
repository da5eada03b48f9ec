"""The world that a sandbox starts with: Acme's Slack and Notion, with the same five people in both."""

import uuid

from discubot_pipeline.sandbox.notion.setup import add_database, add_document
from discubot_pipeline.sandbox.notion.state import NotionState, User
from discubot_pipeline.sandbox.slack.state import Channel, Person, SlackState, Workspace
from discubot_pipeline.sandbox.wire import Json

PEOPLE = (
    ("U0ANNA", "anna", "Anna de Vries", "Europe/Amsterdam"),
    ("U0BEN", "ben", "Ben Carter", "America/New_York"),
    ("U0CHLOE", "chloe", "Chloé Martin", "Europe/Paris"),
    ("U0DEV", "devika", "Devika Rao", "Asia/Kolkata"),
    ("U0EMIL", "emil", "Emil Lindqvist", "Europe/Stockholm"),
)
NOTION_TOKEN = "ntn_sandbox_acme_discubot"
COLUMNS: Json = {
    "Status": {"type": "status", "options": ["To do", "In progress", "Done"]},
    "Priority": {"type": "select", "options": ["High", "Medium", "Low"]},
    "Type": {"type": "select", "options": ["Bug", "Feature", "Question", "Improvement"]},
    "Assignee": {"type": "people"},
    "Due date": {"type": "date"},
    "Tags": {"type": "multi_select"},
    "Source": {"type": "url"},
    "Discubot key": {"type": "rich_text"},
}


DOCUMENT = "Website relaunch"
PARAGRAPHS = (
    ("heading_2", "Goals"),
    ("bulleted_list_item", "Visitors find prices in one click"),
    ("bulleted_list_item", "The pages load in a second on a phone"),
    ("heading_2", "Open points"),
    ("paragraph", "The pricing page still shows last year's plans, and the contact form sends its mail nowhere."),
)


def build(slack: SlackState, notion: NotionState) -> Json:
    """Fill empty states and return all ids and secrets that a demo needs."""
    return {"slack": _slack(slack).record(), "notion": _notion(notion)}


def _slack(state: SlackState) -> Workspace:
    acme = Workspace(
        team_id="T0ACME", name="Acme", bot_token="xoxb-sandbox-acme-discubot",
        signing_secret="sandbox-acme-signing-secret", bot_user_id="UDISCUBOT", bot_id="BDISCUBOT",
        app_id="ADISCUBOT", app_token="xapp-sandbox-acme-discubot",
        url="https://acme.slack.com/",
    )  # fmt: skip
    for id, name, real_name, tz in PEOPLE:
        acme.people[id] = Person(id, name, real_name, f"{name}@acme.example", tz)
    acme.channels["C0GENERAL"] = Channel("C0GENERAL", "product")
    return state.add(acme)


def _notion(state: NotionState) -> Json:
    connection = state.connect("Discubot", NOTION_TOKEN, _id("discubot"))
    for _, name, real_name, _ in PEOPLE:
        id = _id(name)
        state.users[id] = User(id, real_name, f"{name}@acme.example")
    database = add_database(
        state,
        "Tasks",
        {NOTION_TOKEN},
        title_property="Task",
        columns=COLUMNS,
        ids=[_id("tasks"), _id("tasks-source")],
    )
    children = [{"type": kind, kind: {"rich_text": [{"text": {"content": text}}]}} for kind, text in PARAGRAPHS]
    document = add_document(state, DOCUMENT, {NOTION_TOKEN}, children, _id("website"))
    return {
        "page_id": document.id, "page_url": state.url(document.id),
        "token": connection.token, "bot_id": connection.bot_id, "database_id": database.id,
        "data_source_id": database.sources[0], "data_source_ids": list(database.sources),
        "url": state.url(database.id),
        "users": [{"id": u.id,
        "name": u.name, "email": u.email} for u in state.users.values() if not u.is_bot],
    }  # fmt: skip


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.acme.example"))
