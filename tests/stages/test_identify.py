"""A comment that comes by webhook and by mail is one mention in one discussion, whichever comes first."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr

from discubot_pipeline.domain.config import FigmaCredentials, MailgunCredentials, SourceConfig
from discubot_pipeline.domain.delivery import Arrival, Delivery, DeliveryStatus, Launch, SourceType
from discubot_pipeline.domain.discussion import ParsedDiscussion, discussion_id
from discubot_pipeline.domain.errors import Ignored, Permanent
from discubot_pipeline.domain.job import LONGEST_WAIT
from discubot_pipeline.outside import Adapters
from discubot_pipeline.sandbox.figma import mails
from discubot_pipeline.stages.validate import validate
from discubot_pipeline.store.stores import Stores
from tests.adapters.figma_file import PASSCODE, FigmaHarness
from tests.adapters.test_mailgundoor import FORM, KEY, mail_of
from tests.conftest import Sandbox
from tests.stages.acme import job

FIGMA, MAILGUN = SourceType.FIGMA, SourceType.MAILGUN


@dataclass(frozen=True)
class Studio:
    """A team with a file in Figma, of which it hears by webhook, by mail, or both."""

    stores: Stores
    outside: Adapters
    file: FigmaHarness

    def source(self, kind: SourceType, name: str | None = None, token: str | None = None) -> SourceConfig:
        """Connect a source; a mail source needs no token where there is one of Figma's."""
        secret = SecretStr(token or self.file.token)
        figma = FigmaCredentials(token=secret, passcode=SecretStr(PASSCODE))
        mailgun = MailgunCredentials(signing_key=SecretStr(KEY), token=SecretStr(token) if token else None)
        if "studio" not in [team.name for team in self.stores.configs.teams()]:
            self.stores.configs.add_team("studio", "test")
        team = self.stores.configs.team("studio")
        return self.stores.configs.add_source(team, kind, name or kind, figma if kind is FIGMA else mailgun, "test")

    def webhook(self, config: SourceConfig, comment: str) -> Delivery:
        """Let a comment's webhook arrive."""
        body = json.dumps(self.file.event(comment)).encode()
        return self._stored(config, self.outside.door(FIGMA).open(config, {}, body))

    def mail(self, config: SourceConfig, *comments: str) -> Delivery:
        """Let a mail about comments arrive."""
        letter = mail_of(self.file, *comments).payload or {}
        fields = {"from": letter["author"], "subject": letter["subject"], "body-plain": letter["plain"]}
        dkim = {"X-Mailgun-Dkim-Check-Result": "Pass", "stripped-text": letter["stripped"]}
        token = "-".join(["mail", *comments])
        body = urlencode([*(fields | dkim).items(), *mails.signature(KEY, "0", token)]).encode()
        return self._stored(config, self.outside.door(MAILGUN).open(config, FORM, body))

    def _stored(self, config: SourceConfig, arrival: object) -> Delivery:
        assert isinstance(arrival, Arrival)
        assert arrival.reason is None
        inbox = self.stores.inboxes[config.source]
        id = inbox.store(config, arrival).id
        found = inbox.get(id, config.team_id)
        assert found is not None
        return found

    def validate(self, delivery: Delivery, run_id: str, by_hand: bool = False) -> ParsedDiscussion:
        """Let the run of a sensor, or a person's, do the first stage for a delivery."""
        inbox = self.stores.inboxes[delivery.source]
        keys = {id: run.run_key for run in inbox.lease(10, LONGEST_WAIT) for id in run.delivery_ids}
        run = job(run_id, run_key=None if by_hand else keys[delivery.id])
        return validate(Launch(delivery_ids=(delivery.id,)), run, self.stores, self.outside)


@pytest.fixture(scope="module")
def file(sandbox: Sandbox) -> Iterator[FigmaHarness]:
    """Make a file for all of these tests."""
    with closing(FigmaHarness(sandbox)) as harness:
        yield harness


@pytest.fixture
def studio(stores: Stores, outside: Adapters, file: FigmaHarness) -> Studio:
    """Give the team."""
    return Studio(stores, outside, file)


class TestHome:
    """Whose a mail's thread is."""

    def test_a_mail_is_the_teams_figma_sources(self, studio: Studio) -> None:
        """One place has token and outputs: the mail's own source needs neither."""
        figma, mail = studio.source(FIGMA), studio.source(MAILGUN)
        root, reply = studio.file.say(["The header breaks", "@discubot fix it"])
        parsed = studio.validate(studio.mail(mail, reply), "run-1")
        assert (parsed.ref.source, parsed.ref.source_config_id) == (FIGMA, figma.id)
        assert parsed.ref.thread_id == f"{studio.file.file}:{root}"
        assert parsed.discussion_id == discussion_id(figma.team_id, FIGMA, parsed.ref.thread_id)
        assert parsed.mention_ids == (reply,)

    def test_without_one_it_is_its_own(self, studio: Studio) -> None:
        """A team that has no webhooks works by mail alone."""
        mail = studio.source(MAILGUN, token=studio.file.token)
        parsed = studio.validate(studio.mail(mail, *studio.file.say(["@discubot fix it"])), "run-1")
        assert (parsed.ref.source, parsed.ref.source_config_id) == (FIGMA, mail.id)

    def test_without_any_token_it_is_not_configured(self, studio: Studio) -> None:
        """The message says what is missing."""
        delivery = studio.mail(studio.source(MAILGUN), *studio.file.say(["@discubot fix it"]))
        with pytest.raises(Permanent, match="not_configured"):
            studio.validate(delivery, "run-1")

    def test_of_several_the_one_with_its_token_is_meant(self, studio: Studio) -> None:
        """The others' tokens may not know the file."""
        studio.source(FIGMA, "other", token="figd_other")
        figma = studio.source(FIGMA, "figma")
        mail = studio.source(MAILGUN, token=studio.file.token)
        parsed = studio.validate(studio.mail(mail, *studio.file.say(["@discubot fix it"])), "run-1")
        assert parsed.ref.source_config_id == figma.id

    def test_a_link_belongs_to_one_source_only(self, studio: Studio) -> None:
        """Both doors know Figma's links; the team's Figma source answers, for the root of the thread."""
        figma, _ = studio.source(FIGMA), studio.source(MAILGUN)
        root, reply = studio.file.say(["One", "Two"])
        for comment in (root, reply):
            url = f"https://www.figma.com/design/{studio.file.file}/x?node-id=1-2#{comment}"
            launch = Launch(thread_url=url.replace("https://www.figma.com", f"{studio.file.sandbox.url}/figma"))
            parsed = validate(launch, job(f"run-{comment}"), studio.stores, studio.outside)
            assert (parsed.ref.thread_id, parsed.ref.source_config_id) == (f"{studio.file.file}:{root}", figma.id)


class TestTwins:
    """The same comment, twice."""

    @pytest.fixture
    def both(self, studio: Studio) -> tuple[SourceConfig, SourceConfig]:
        """Connect both ways."""
        return studio.source(FIGMA), studio.source(MAILGUN)

    def test_a_mail_gives_way_to_the_webhook(self, studio: Studio, both: tuple[SourceConfig, SourceConfig]) -> None:
        """However far that one has come."""
        [comment] = studio.file.say(["@discubot fix it"])
        hook, mail = studio.webhook(both[0], comment), studio.mail(both[1], comment)
        with pytest.raises(Ignored, match="duplicate"):
            studio.validate(mail, "run-1")
        assert studio.validate(hook, "run-2").mention_ids == (comment,)

    def test_a_webhook_gives_way_to_a_mail_that_is_done(
        self, studio: Studio, both: tuple[SourceConfig, SourceConfig]
    ) -> None:
        """Not before: one of the two must do the work. Both name the same discussion."""
        [comment] = studio.file.say(["@discubot fix it"])
        by_mail = studio.validate(studio.mail(both[1], comment), "run-1")
        hook = studio.webhook(both[0], comment)
        by_hook = studio.validate(hook, "run-2")
        assert by_mail.discussion_id == by_hook.discussion_id
        assert by_mail.ref == by_hook.ref
        studio.stores.settle("run-1", DeliveryStatus.DONE)
        studio.stores.inboxes[FIGMA].postpone("run-2", studio.outside.clock.now())
        with pytest.raises(Ignored, match="duplicate"):
            studio.validate(hook, "run-3")

    def test_two_mails_about_one_comment_are_one(self, studio: Studio, both: tuple[SourceConfig, SourceConfig]) -> None:
        """Figma may send a mail for the mention, and tell of it again in a grouped one."""
        [one] = studio.file.say(["@discubot fix it"])
        [two] = studio.file.say(["@discubot paint it"])
        studio.validate(studio.mail(both[1], one), "run-1")
        with pytest.raises(Ignored, match="duplicate"):
            studio.validate(studio.mail(both[1], one, two), "run-2")
        [rest] = studio.stores.inboxes[MAILGUN].due(10)
        assert rest.thread_id == f"{studio.file.file}:{two}"
        assert studio.validate(rest, "run-3").mention_ids == (two,)

    def test_a_person_may_do_it_again(self, studio: Studio, both: tuple[SourceConfig, SourceConfig]) -> None:
        """Who launches a delivery by hand wants it done."""
        [comment] = studio.file.say(["@discubot fix it"])
        studio.webhook(both[0], comment)
        assert studio.validate(studio.mail(both[1], comment), "run-1", by_hand=True).mention_ids == (comment,)


class TestReading:
    """What is read stays read."""

    def test_a_repeated_op_finds_the_same(self, studio: Studio) -> None:
        """Also when by then the comment looks answered."""
        mail = studio.source(MAILGUN, token=studio.file.token)
        studio.file.say(["@discubot"])
        root, bare = studio.file.say(["The header breaks", "@discubot"])
        delivery = studio.mail(mail, bare)
        first = studio.validate(delivery, "run-1", by_hand=True)
        studio.file.source.reply(f"{studio.file.file}:{root}", "Done", "key", is_retry=False)
        assert studio.validate(delivery, "run-1", by_hand=True) == first

    def test_a_mail_that_asks_for_nothing_is_ignored(self, studio: Studio) -> None:
        """It tells of people who talk among themselves."""
        mail = studio.source(MAILGUN, token=studio.file.token)
        with pytest.raises(Ignored, match="not_a_mention"):
            studio.validate(studio.mail(mail, *studio.file.say(["Thank you very much"])), "run-1")
