"""Settings come from the environment, once, and show no password."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr, ValidationError

from discubot_pipeline.settings import Settings, inherited_environment, with_driver

URL = "postgresql://anna:p%40ss@db.example:5433/discubot"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take our variables out of the environment."""
    for name in list(os.environ):
        if name.startswith(("DISCUBOT_", "XDG_")):
            monkeypatch.delenv(name)


def with_url(url: str, **more: object) -> Settings:
    """Make settings with a database."""
    return Settings(database_url=SecretStr(url), **more)


class TestEnvironment:
    """Each field is a variable."""

    def test_defaults_need_nothing(self) -> None:
        """Without any variable there are settings, for this machine alone."""
        settings = Settings()
        assert settings.home == Path.home() / ".local" / "state" / "discubot"
        assert (settings.receiver_url, settings.web_url) == ("http://127.0.0.1:8000", "http://127.0.0.1:3000")
        assert settings.slack_url == "https://slack.com/api"
        assert settings.database_url is settings.secret_key is None

    def test_variables_win(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """Numbers, durations and secrets are read from text."""
        for name, value in {
            "DISCUBOT_HOME": str(tmp_path),
            "DISCUBOT_RECEIVER_PORT": "9000",
            "DISCUBOT_PUBLIC_URL": "https://bot.example",
            "DISCUBOT_KEEP_JOBS": "P90D",
            "DISCUBOT_SECRET_KEY": "k",
            "DISCUBOT_UNKNOWN": "x",
        }.items():
            monkeypatch.setenv(name, value)
        settings = Settings()
        assert (settings.home, settings.receiver_port) == (tmp_path, 9000)
        assert settings.receiver_url == "https://bot.example"
        assert settings.keep_jobs == timedelta(days=90)

    def test_the_state_folder_follows_the_desktops_rule(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """`XDG_STATE_HOME` is where state goes, if it is set; an empty one is not."""
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
        assert Settings().home == tmp_path / "discubot"
        monkeypatch.setenv("XDG_STATE_HOME", "")
        assert Settings().home == Path.home() / ".local" / "state" / "discubot"

    @pytest.mark.parametrize("wrong", [{"max_concurrent_runs": 0}, {"web_port": "http"}, {"keep_jobs": "long"}])
    def test_a_wrong_value_is_named(self, wrong: dict[str, object]) -> None:
        """The error says which field it is."""
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            Settings(**wrong)

    def test_they_are_frozen(self) -> None:
        """Nobody changes settings while the process runs."""
        with pytest.raises(ValidationError, match="frozen"):
            Settings().host = "0.0.0.0"  # type: ignore[misc]

    def test_they_show_no_secret(self) -> None:
        """What is printed has neither passwords nor keys."""
        shown = repr(with_url(URL, direct_url=SecretStr(URL), secret_key=SecretStr("kkk")))
        assert "p%40ss" not in shown
        assert "kkk" not in shown

    def test_children_compile_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A child gets our environment, but may keep its bytecode."""
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
        monkeypatch.setenv("DISCUBOT_HOST", "h")
        child = inherited_environment()
        assert "PYTHONDONTWRITEBYTECODE" not in child
        assert child["DISCUBOT_HOST"] == "h"
        assert "PYTHONDONTWRITEBYTECODE" in os.environ


class TestUrls:
    """One address, three ways to write it."""

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+psycopg2"])
    def test_each_reader_gets_its_driver(self, scheme: str) -> None:
        """However the address is given, SQLAlchemy gets psycopg, Dagster psycopg2, and libpq none."""
        settings = with_url(URL.replace("postgresql", scheme))
        assert settings.sqlalchemy_url == URL.replace("postgresql", "postgresql+psycopg")
        assert settings.listen_url == URL
        assert settings.dagster_url.startswith(URL.replace("postgresql", "postgresql+psycopg2"))

    def test_dagster_lives_in_its_own_schema(self) -> None:
        """The search path is an option of the address, beside those that are there, escaped as libpq wants it."""
        url = with_url(f"{URL}?host=%2Ftmp%2Fa%20b&sslmode=require").dagster_url
        query = parse_qs(urlsplit(url).query)
        assert query == {"host": ["/tmp/a b"], "sslmode": ["require"], "options": ["-csearch_path=dagster"]}
        assert "+" not in urlsplit(url).query, "libpq reads a plus as a plus"

    def test_listening_goes_around_a_pooler(self) -> None:
        """A direct address is used for LISTEN, and for nothing else."""
        settings = with_url(URL, direct_url=SecretStr("postgres://direct/d"))
        assert settings.listen_url == "postgresql://direct/d"
        assert "direct" not in settings.sqlalchemy_url + settings.dagster_url

    @pytest.mark.parametrize("url", ["", "db.example", "mysql://x/y", "sqlite:///x", "postgresqlx://y", "postgres:x"])
    def test_what_is_no_postgres_url_is_refused(self, url: str) -> None:
        """The message shows what one looks like, and does not quote what was given."""
        with pytest.raises(ValueError, match="must look like postgresql://") as refused:
            with_driver(url, "psycopg")
        assert not url or url not in str(refused.value)

    def test_without_a_database_the_way_to_one_is_named(self) -> None:
        """Whoever forgot to start it is told how."""
        for name in ("sqlalchemy_url", "listen_url", "dagster_url"):
            with pytest.raises(LookupError, match="discubot up"):
                getattr(Settings(), name)
