"""The people of a Notion workspace, as one connection sees them. Used by `notion.py` and for matching."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from discubot_pipeline.adapters.notionapi import Notion
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.domain.people import NotionUser, spoken
from discubot_pipeline.ports import Draft


class Known(Protocol):
    """Who people of a source are in Notion, as people said or as was found before."""

    def notion_users(self, source_user_ids: Sequence[str], name: str) -> set[str | None]:
        """Give what is known of some people, or with no ids of those who bear a name.

        Of each it is a Notion user's id, "" for somebody who is never to be assigned, None where nothing is known.
        """
        ...


class NobodyKnown:
    """Knows nobody."""

    def notion_users(self, source_user_ids: Sequence[str], name: str) -> set[str | None]:
        """Know nothing."""
        return set()


def users_of(notion: Notion) -> Iterator[NotionUser]:
    """Read all people; none where the connection may not see them."""
    try:
        for user in notion.items("/v1/users"):
            if user.get("type") == "person":
                address = (user.get("person") or {}).get("email")
                yield NotionUser(id=user["id"], name=user.get("name") or "", email=address)
    except Permanent as error:
        if error.reason != "forbidden":
            raise


class Directory:
    """Notion's people by address and name; a name that two people bear stands for nobody."""

    def __init__(self, notion: Notion) -> None:
        self._by_word: dict[str, str] = {}
        for user in users_of(notion):
            for word in {spoken(text) for text in (user.email, user.name) if text}:
                self._by_word[word] = user.id if word not in self._by_word else ""

    def find(self, name: str, draft: Draft) -> str | None:
        """Find the user of a name or an address, or of the address its bearer has in the source."""
        found = (self._by_word.get(word) for word in (*addresses(name, draft), spoken(name)))
        return next((user for user in found if user), None)


def bearers(name: str, draft: Draft) -> dict[str, str]:
    """Give the people of the thread who bear a name or handle: their ids, with their addresses where they are known."""
    wanted = spoken(name)
    authors = {message.author for message in draft.messages}
    return {
        who.id: spoken(who.email or "")
        for who in authors
        if wanted in {spoken(who.name), spoken(who.handle or ""), spoken(who.email or "")}
    }


def addresses(name: str, draft: Draft) -> set[str]:
    """Give the e-mail address of the one person in the thread who bears a name or handle."""
    found = bearers(name, draft)
    return {address for address in found.values() if address} if len(found) == 1 else set()


def assignee(known: Known, directory: Callable[[], Directory], name: str, draft: Draft) -> str | None:
    """Find the Notion user that a name stands for: as it is mapped, else by name and address."""
    answers = known.notion_users(sorted(bearers(name, draft)), name.strip().lstrip("@"))
    if answers <= {None}:
        return directory().find(name, draft)
    return answers.pop() or None if len(answers) == 1 else None
