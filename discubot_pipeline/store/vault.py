"""Seals credentials before they are stored: Fernet (AES-128-CBC with HMAC-SHA256), several keys for rotation."""

import json
import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from discubot_pipeline.domain.config import Credentials
from discubot_pipeline.domain.errors import Permanent

C = TypeVar("C", bound=Credentials)


class Vault:
    """Seals with the first key, opens with any."""

    def __init__(self, keys: str) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.split(",") if key.strip()])
        except ValueError as error:
            raise Permanent(
                "secret_key",
                "DISCUBOT_SECRET_KEY must be one or more comma-separated Fernet keys (32 bytes, URL-safe base64)",
            ) from error

    def seal(self, credentials: Credentials) -> bytes:
        """Encrypt credentials for the database."""
        plain = {name: reveal(value) for name, value in credentials}
        return self._fernet.encrypt(json.dumps(plain).encode())

    def open(self, kind: type[C], sealed: bytes) -> C:
        """Decrypt credentials; `secret_key` when they were sealed with a key we do not have."""
        try:
            return kind.model_validate_json(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise Permanent(
                "secret_key",
                "stored credentials were sealed with another key: add the old key to DISCUBOT_SECRET_KEY",
            ) from error


def reveal(value: object) -> object:
    """Take the text out of a SecretStr."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def owner_only(path: str, flags: int) -> int:
    """Open a file that only its owner may read."""
    return os.open(path, flags, 0o600)


def key_file(home: Path) -> str:
    """Give the key kept in the state folder; the first caller makes it, readable for its owner only."""
    return kept(home / "secret.key", lambda: Fernet.generate_key().decode())


def metrics_token(home: Path) -> str:
    """Give the token for `/metrics` kept in the state folder, made and readable as the key is."""
    return kept(home / "metrics.token", lambda: secrets.token_urlsafe(32))


def kept(path: Path, make: Callable[[], str]) -> str:
    """Give the secret that a file holds, made by the first caller."""
    if not path.exists():
        pending = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        with open(pending, "x", opener=owner_only) as file:
            file.write(make())
        # A link appears whole or not at all: whoever comes second never reads half a key.
        with suppress(FileExistsError):
            path.hardlink_to(pending)
        pending.unlink()
    return path.read_text()
