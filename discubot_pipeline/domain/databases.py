"""Reads the id of a Notion database out of what people paste."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from discubot_pipeline.domain.errors import Permanent

ID = re.compile(r"(?:^|-)([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})$")
ID_FORMS = "its 32 characters with or without dashes, or the link of the database"


def database_id_of(text: str) -> str:
    """Read the id of a database out of what people paste. Raises Permanent("malformed", …)."""
    pasted = text.strip()
    try:
        path = urlsplit(pasted).path if "://" in pasted else pasted
    except ValueError:
        path = ""
    found = ID.search(path.rstrip("/").rsplit("/", 1)[-1].lower())
    if found is None:
        raise Permanent("malformed", f"This is no id of a Notion database: give {ID_FORMS}")
    return str(UUID(found[1]))
