"""Reads the two kinds of forms that webhooks come as: urlencoded, and multipart with its files left out."""

import hashlib
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from discubot_pipeline.domain.errors import Permanent

MOST_FIELDS: Final = 500
URLENCODED: Final = b"application/x-www-form-urlencoded"
MULTIPART: Final = b"multipart/form-data"


class Form:
    """The fields of a form in their order; of a file only its digest is kept."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields
        self._exact = dict(fields)
        self._folded = {name.casefold(): value for name, value in fields}

    def exact(self, name: str) -> str:
        """Give the last field of exactly this name; empty when there is none."""
        return self._exact.get(name, "")

    def any_case(self, name: str) -> str:
        """Give the last field of this name, however it is written; empty when there is none."""
        return self._folded.get(name.casefold(), "")

    def all(self, name: str) -> list[str]:
        """Give all fields of this name, however it is written."""
        return [value for found, value in self._fields if found.casefold() == name.casefold()]

    @property
    def digest(self) -> str:
        """Name the content, whatever form or boundary it was sent with."""
        parts = (len(part).to_bytes(8, "big") + part for field in sorted(self._fields) for part in map(_bytes, field))
        return hashlib.sha256(b"".join(parts)).hexdigest()


class Collector:
    """Takes what the parser of multipart bodies finds."""

    def __init__(self) -> None:
        self.fields: list[tuple[str, str]] = []
        self.is_whole = False
        self._header = self._value = b""
        self._options: dict[bytes, bytes] = {}
        self._data = bytearray()

    def on_part_begin(self) -> None:
        """Begin a part."""
        self._options, self._data = {}, bytearray()
        self._header = self._value = b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's name."""
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's value."""
        self._value += data[start:end]

    def on_header_end(self) -> None:
        """Read a header of the part."""
        if self._header.lower() == b"content-disposition":
            self._options = parse_options_header(self._value)[1]
        self._header = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of the part's content."""
        self._data += data[start:end]

    def on_part_end(self) -> None:
        """Keep the part."""
        if b"name" not in self._options or len(self.fields) >= MOST_FIELDS:
            raise Permanent("malformed", "A part of the form has no name, or there are too many of them.")
        content = bytes(self._data)
        is_file = b"filename" in self._options
        value = f"file:{hashlib.sha256(content).hexdigest()}" if is_file else content.decode(errors="replace")
        self.fields.append((self._options[b"name"].decode(errors="replace"), value))

    def on_end(self) -> None:
        """Note that nothing is cut off."""
        self.is_whole = True


def read_form(headers: Mapping[str, str], body: bytes) -> Form:
    """Read a body by its content type. Raises Permanent("malformed") when it is no form."""
    kind, options = parse_options_header(headers.get("content-type", ""))
    if kind == URLENCODED:
        return _urlencoded(body)
    if kind == MULTIPART and options.get(b"boundary"):
        return _multipart(options[b"boundary"], body)
    raise Permanent("malformed", "content-type: must be a form, urlencoded or multipart.")


def _urlencoded(body: bytes) -> Form:
    try:
        return Form(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"))
    except ValueError:
        raise Permanent("malformed", "The body is no urlencoded form.") from None


def _multipart(boundary: bytes, body: bytes) -> Form:
    taken = Collector()
    callbacks = {name: getattr(taken, name) for name in dir(taken) if name.startswith("on_")}
    try:
        parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        taken.is_whole = False
    if not taken.is_whole:
        raise Permanent("malformed", "The body is no multipart form, or its end is missing.")
    return Form(taken.fields)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
