"""Threads of the past, in a Figma file of the sandbox, for the tests of backfills."""

from collections.abc import Sequence
from datetime import datetime

from discubot_pipeline.adapters.figmaarchive import FigmaArchive
from tests.adapters.figma_file import FigmaHarness
from tests.adapters.source_harness import DAY, START


class FigmaPast:
    """A file of the sandbox and its archive."""

    mentions = True
    people = ("Anna de Vries", "Ben Carter")

    def __init__(self, figma: FigmaHarness) -> None:
        self.figma = figma
        self.place, self.source = figma.file, figma.source
        self.archive = FigmaArchive(figma.config, f"{figma.sandbox.url}/figma")

    def write(self, at: datetime, texts: Sequence[str], mention: str | None = None) -> None:
        self.figma.say([*texts, f"@discubot {mention}"] if mention else texts, at=at)

    def spoil(self) -> None:
        self.figma.say(["?"], at=START + DAY / 2, more={"created_at": "long ago"})
