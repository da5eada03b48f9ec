"""What people paste for a Notion database."""

import pytest

from discubot_pipeline.domain.databases import database_id_of
from discubot_pipeline.domain.errors import Permanent

HEX = "0123456789abcdef0123456789abcdef"
DASHED = "01234567-89ab-cdef-0123-456789abcdef"


@pytest.mark.parametrize(
    "text",
    [
        *(HEX, DASHED, HEX.upper(), f" {DASHED}\n"),
        *(
            f"https://www.notion.so/{HEX}?v={'f' * 32}",
            f"https://www.notion.so/acme/My-Tasks-{HEX}?v=1&pvs=4",
        ),
        *(
            f"https://app.notion.com/p/{HEX}#x",
            f"https://acme.notion.site/Tasks-{DASHED}/",
            f"notion://x/{HEX}",
        ),
    ],
)
def test_database_ids(text: str) -> None:
    """An id is read out of everything that people paste."""
    assert database_id_of(text) == DASHED


@pytest.mark.parametrize(
    "text", ["", "Tasks", HEX[1:], f"{HEX}0", f"https://www.notion.so/?v={HEX}", "https://[bad", f"x{HEX}"]
)
def test_no_database_id(text: str) -> None:
    """Anything else is refused with the accepted forms."""
    with pytest.raises(Permanent, match=r"malformed: .*link of the database"):
        database_id_of(text)
