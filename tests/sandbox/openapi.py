"""A service's own OpenAPI description, against which calls and answers are held."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

JSON = ("content", "application/json", "schema")
HERE = "urn:description"
FORMATS = FormatChecker(())


@FORMATS.checks("date-time", raises=ValueError)
def is_moment(value: object) -> bool:
    """Tell a moment with its time zone."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class Description:
    """The operations and schemas of one file. A breach raises jsonschema's ValidationError."""

    def __init__(self, file: Path) -> None:
        self.document = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
        resource = Resource.from_contents(self.document, default_specification=DRAFT202012)
        self._registry: Registry[Any] = Registry().with_resource(HERE, resource)

    def operation(self, verb: str, path: str) -> Any:
        """Find what is said of a call."""
        return self.document["paths"][self._template(path)][verb.lower()]

    def check_body(self, verb: str, path: str, body: Any) -> None:
        """Hold the body of a call against its schema; None is no body, where none is described."""
        described = "requestBody" in self.operation(verb, path)
        assert described == (body is not None), f"{verb} {path} with {body}"
        if described:
            self._check(("paths", self._template(path), verb.lower(), "requestBody", *JSON), body)

    def check_answer(self, verb: str, path: str, status: int, body: Any) -> None:
        """Hold an answer against the schema of its status."""
        name = self.operation(verb, path)["responses"][str(status)]["$ref"].rpartition("/")[2]
        self._check(("components", "responses", name, *JSON), body)

    def check(self, schema: str, body: Any) -> None:
        """Hold a value against one of the schemas by its name."""
        self._check(("components", "schemas", schema), body)

    def _template(self, path: str) -> str:
        """Find the description of a path, whose fixed parts count for more than its parameters."""
        known = sorted(self.document["paths"], key=lambda template: template.count("{"))
        return next(each for each in known if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", each), path))

    def _check(self, place: tuple[str, ...], body: Any) -> None:
        pointer = "/".join(quote(step.replace("~", "~0").replace("/", "~1"), safe="~") for step in place)
        schema = {"$ref": f"{HERE}#/{pointer}"}
        Draft202012Validator(schema, registry=self._registry, format_checker=FORMATS).validate(body)
