"""How people call the bot by its name: in any case, anywhere, but never as part of another word."""

import pytest

from discubot_pipeline.adapters.callsign import account, keyword


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("@discubot fix it", "fix it"),
        ("@DiscuBot: fix it", "fix it"),
        ("hey @discubot, fix it", "hey fix it"),
        ("fix it @discubot!", "fix it!"),
        ("@discubot @discubot fix it", "fix it"),
        ("one\n@discubot two\nthree @discubot\nfour", "one\ntwo\nthree\nfour"),
        ("@discubot", ""),
        ("@discubots fix it", None),
        ("@discubot-two fix it", None),
        ("mail me@discubot.example", None),
        ("discubot fix it", None),
    ],
)
def test_a_name_is_heard_and_taken_out(text: str, left: str | None) -> None:
    """Each call goes, with its colon or comma; who only has the name in theirs is not the bot."""
    called = account(None)
    assert called.is_in(text) is (left is not None)
    assert called.without(text) == (text if left is None else left)


@pytest.mark.parametrize("trigger", ["robo", "Bot (QA)", "bot+1", "a.b", "to-do", "[x]", "b*t$"])
def test_a_trigger_is_meant_as_it_is_written(trigger: str) -> None:
    """Signs that mean something in patterns mean themselves; with an @ in front it calls as well, in every tool."""
    for called in (account(trigger), keyword(trigger)):
        for text in (f"{trigger} fix it", f"@{trigger} fix it", f"{trigger.upper()}: fix it", f"@{trigger}, fix it"):
            assert called.without(text) == "fix it", text
        assert not called.is_in(f"{trigger}s fix it")
        assert not called.is_in("fix it")


def test_an_account_is_called_by_trigger_and_name() -> None:
    """A trigger that begins with @ needs it; the number of an account is no word, and its name takes its place."""
    assert account("@robo", "Acme Bot").without("@robo @acme bot fix it") == "fix it"
    assert not account("@robo").is_in("robo fix it")
    assert account("8117", "Acme Bot").names == ("@Acme Bot",)
    assert not account("8117").is_in("8117 @8117")
