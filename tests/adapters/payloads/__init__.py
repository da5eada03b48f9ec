"""Requests as services send them, in files."""

from pathlib import Path


def payload(folder: str, name: str, suffix: str = "json") -> bytes:
    """Read a payload file."""
    return (Path(__file__).parent / folder / f"{name}.{suffix}").read_bytes()
