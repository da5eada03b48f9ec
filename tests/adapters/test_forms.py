"""Forms as webhooks send them: both kinds, repeated fields, and what is none."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discubot_pipeline.adapters.forms import Form, read_form
from discubot_pipeline.domain.errors import Permanent
from tests.adapters.source_harness import FUZZ

URLENCODED = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
MULTIPART = {"content-type": "multipart/form-data; boundary=xYz"}
FIELDS = [("subject", "one"), ("Subject", "two"), ("body-plain", "é\r\n🎉 & more"), ("empty", "")]


def multipart(fields: list[tuple[str, str]], file: bytes | None = None, boundary: str = "xYz") -> bytes:
    """Write a multipart body."""
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n'.encode() for n, v in fields]
    if file is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="attachment-1"; filename="a.bin"\r\n'
        parts.append(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + file + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


@pytest.mark.parametrize(
    ("headers", "body"), [(URLENCODED, urlencode(FIELDS).encode()), (MULTIPART, multipart(FIELDS))]
)
def test_both_kinds_hold_the_same(headers: dict[str, str], body: bytes) -> None:
    """Repeated fields keep their order; the last one counts, in its own case or in any."""
    form = read_form(headers, body)
    assert (form.exact("subject"), form.exact("Subject"), form.any_case("SUBJECT")) == ("one", "two", "two")
    assert form.all("subject") == ["one", "two"]
    assert form.exact("body-plain") == "é\r\n🎉 & more"
    assert (form.exact("empty"), form.exact("nowhere")) == ("", "")
    assert form.digest == Form(FIELDS).digest


def test_files_are_known_by_their_content_only() -> None:
    """Attachments are not kept; another content is another form."""
    one, other = (read_form(MULTIPART, multipart(FIELDS, file)) for file in (b"\0\xff", b"\0\xfe"))
    assert one.exact("attachment-1").startswith("file:")
    assert one.digest != other.digest


def test_the_digest_knows_no_order_and_no_boundary() -> None:
    """A retry may be packed anew; only the content counts."""
    headers = {"content-type": 'multipart/form-data; boundary="other"'}
    assert read_form(headers, multipart(FIELDS[::-1], boundary="other")).digest == Form(FIELDS).digest
    assert Form([("a", "bc")]).digest != Form([("ab", "c")]).digest


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"a=b"),
        ({"content-type": "application/json"}, b"{}"),
        ({"content-type": "multipart/form-data"}, multipart(FIELDS)),
        ({"content-type": "multipart/form-data; boundary="}, multipart(FIELDS)),
        (MULTIPART, b""),
        (MULTIPART, b"a=b"),
        (MULTIPART, multipart(FIELDS)[:-20]),
        (MULTIPART, b"--xYz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xYz--\r\n"),
        (MULTIPART, multipart([("a", "b")] * 501)),
        (URLENCODED, b"a=b&" * 501),
        (URLENCODED, b"\xff=\xfe"),
    ],
)
def test_what_is_no_form_is_malformed(headers: dict[str, str], body: bytes) -> None:
    """It ends in a verdict, never in another exception."""
    with pytest.raises(Permanent, match="malformed"):
        read_form(headers, body)


@FUZZ
@given(st.sampled_from([URLENCODED, MULTIPART]), st.binary(max_size=300))
def test_anything_is_a_form_or_malformed(headers: dict[str, str], body: bytes) -> None:
    """Whatever a stranger sends."""
    for content in (body, b"--xYz\r\nContent-Disposition: form-data; name=" + body):
        try:
            known = read_form(headers, content).digest
        except Permanent as refused:
            known = refused.reason
        assert known == "malformed" or len(known) == 64
