"""Credentials are sealed before they are stored, and the key is the owner's alone."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from discubot_pipeline.domain.config import NotionCredentials, SlackCredentials
from discubot_pipeline.domain.errors import Permanent
from discubot_pipeline.store.vault import Vault, key_file

SLACK = SlackCredentials(signing_secret=SecretStr("s3cret"), bot_token=SecretStr("xoxb-tökén"))


def new_key() -> str:
    """Make a key."""
    return Fernet.generate_key().decode()


class TestVault:
    """Seals and opens."""

    def test_what_is_sealed_can_be_opened(self, vault: Vault) -> None:
        """Credentials come back as they were."""
        assert vault.open(SlackCredentials, vault.seal(SLACK)) == SLACK

    def test_no_secret_is_in_the_bytes(self, vault: Vault) -> None:
        """Neither a secret nor the name of its field can be read off, and no two seals are alike."""
        sealed = vault.seal(SLACK)
        for word in (b"s3cret", b"xoxb", b"signing_secret"):
            assert word not in sealed
        assert sealed != vault.seal(SLACK)

    def test_an_old_key_opens_after_rotation(self) -> None:
        """With the new key in front old seals open, and new ones open without the old key."""
        old, new = new_key(), new_key()
        sealed = Vault(old).seal(SLACK)
        rotated = Vault(f"{new}, {old} ,")
        assert rotated.open(SlackCredentials, sealed) == SLACK
        assert Vault(new).open(SlackCredentials, rotated.seal(SLACK)) == SLACK

    def test_another_key_says_what_to_do(self, vault: Vault) -> None:
        """Whoever lost a key is told where to put the old one."""
        with pytest.raises(Permanent, match="add the old key to DISCUBOT_SECRET_KEY") as wrong:
            Vault(new_key()).open(SlackCredentials, vault.seal(SLACK))
        assert wrong.value.reason == "secret_key"

    def test_bytes_that_were_changed_do_not_open(self, vault: Vault) -> None:
        """A seal is signed as well as encrypted."""
        sealed = bytearray(vault.seal(SLACK))
        sealed[40] ^= 1
        with pytest.raises(Permanent, match="secret_key"):
            vault.open(SlackCredentials, bytes(sealed))

    @pytest.mark.parametrize("keys", ["", " , ", "short", "x" * 44, "é" * 44, f"{'A' * 43}=,short"])
    def test_what_is_no_key_is_refused_without_being_quoted(self, keys: str) -> None:
        """The message says what a key looks like, not what was given."""
        with pytest.raises(Permanent, match="32 bytes, URL-safe base64") as wrong:
            Vault(keys)
        assert wrong.value.reason == "secret_key"
        assert not keys.strip(" ,") or keys not in str(wrong.value)

    def test_credentials_do_not_show_themselves(self) -> None:
        """What is printed or put into a log by mistake has no secret in it; a fingerprint tells tokens apart."""
        token = NotionCredentials(token=SecretStr("ntn_secret"))
        for text in (repr(SLACK), str(SLACK), repr(token), SLACK.model_dump_json()):
            assert "s3cret" not in text
            assert "xoxb" not in text
            assert "ntn_secret" not in text
        assert token.fingerprint == NotionCredentials(token=SecretStr("ntn_secret")).fingerprint
        assert token.fingerprint != NotionCredentials(token=SecretStr("ntn_other")).fingerprint
        assert len(token.fingerprint) == 16


class TestKeyFile:
    """The key in the state folder."""

    def test_it_is_made_once_and_for_its_owner_alone(self, tmp_path: Path) -> None:
        """The first start makes it, later ones read it, nobody else can, whatever the umask."""
        umask = os.umask(0)
        try:
            key = key_file(tmp_path)
        finally:
            os.umask(umask)
        assert key_file(tmp_path) == key
        assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600
        assert Vault(key).open(SlackCredentials, Vault(key).seal(SLACK)) == SLACK
        assert [path.name for path in tmp_path.iterdir()] == ["secret.key"]

    def test_processes_that_start_together_share_one_key(self, tmp_path: Path) -> None:
        """Whoever comes while the key is being made gets the whole of it, not an empty file."""
        for round in range(20):
            home, start = tmp_path / str(round), Barrier(8)
            home.mkdir()

            def read(home: Path = home, start: Barrier = start) -> str:
                start.wait(10)
                return key_file(home)

            with ThreadPoolExecutor(8) as pool:
                [key] = {one.result(10) for one in [pool.submit(read) for _ in range(8)]}
            Vault(key)
