"""Checks blocks to be written and stores them. Used by page creation and by appending children."""

from dataclasses import dataclass
from typing import Any

from discubot_pipeline.sandbox.notion import checks, text
from discubot_pipeline.sandbox.notion.checks import invalid, mapping, objects, only, quoted, wrong
from discubot_pipeline.sandbox.notion.state import Block, NotionState, new_id
from discubot_pipeline.sandbox.wire import Json

MAX_BLOCKS = 1000
MAX_DEPTH = 2
TEXT_TYPES = (
    "paragraph", "heading_1", "heading_2", "heading_3", "bulleted_list_item", "numbered_list_item", "to_do",
    "toggle",
    "quote", "callout", "code",
)  # fmt: skip
TYPES = (*TEXT_TYPES, "divider", "bookmark")
PARENTS = frozenset(TEXT_TYPES) - {"code"}
HEADINGS = frozenset({"heading_1", "heading_2", "heading_3"})
EXTRA_KEYS: dict[str, set[str]] = {
    "to_do": {"color", "checked"}, "callout": {"color", "icon"}, "paragraph": {"color", "icon"},
    "code": {"language", "caption"},
    **{heading: {"color", "is_toggleable"} for heading in HEADINGS},
}  # fmt: skip
LANGUAGES = frozenset({
    "abap", "abc", "agda", "arduino", "ascii art", "assembly", "bash", "basic", "bnf", "c", "c#", "c++",
    "clojure", "coffeescript", "coq", "css", "dart", "dhall", "diff", "docker", "ebnf", "elixir", "elm",
    "erlang", "f#", "flow", "fortran", "gherkin", "glsl", "go", "graphql", "groovy", "haskell", "hcl", "html",
    "idris", "java", "java/c/c++/c#", "javascript", "json", "julia", "kotlin", "latex", "less", "lisp",
    "livescript", "llvm ir", "lua", "makefile", "markdown", "markup", "mathematica", "matlab", "mermaid",
    "nix", "notion formula", "objective-c", "ocaml", "pascal", "perl", "php", "plain text", "powershell",
    "prolog", "protobuf", "purescript", "python", "r", "racket", "reason", "ruby", "rust", "sass", "scala",
    "scheme", "scss", "shell", "smalltalk", "solidity", "sql", "swift", "toml", "typescript", "vb.net",
    "verilog", "vhdl", "visual basic", "webassembly", "xml", "yaml",
})  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """A checked block that is not stored yet."""

    type: str
    content: Json
    children: tuple["Draft", ...] = ()

    def size(self) -> int:
        """Count the block and all below it."""
        return 1 + sum(child.size() for child in self.children)


def accept(state: NotionState, given: Any, at: str = "body.children") -> list[Draft]:
    """Check an array of blocks with all that is nested in it."""
    drafts = [_draft(state, item, f"{at}[{n}]", 0) for n, item in enumerate(objects(given, at))]
    total = sum(draft.size() for draft in drafts)
    if total > MAX_BLOCKS:
        raise invalid(
            f"body failed validation: the number of blocks should be ≤ `{MAX_BLOCKS}`, instead was `{total}`."
        )
    return drafts


def _draft(state: NotionState, item: Json, at: str, depth: int) -> Draft:
    kind = item.get("type") or next((key for key in item if key != "object"), None)
    if kind not in TYPES:
        raise wrong(f"{at}.type", f"should be one of {', '.join(TYPES)}, instead was {quoted(kind)}")
    only(item, {"object", "type", kind}, at)
    if item.get("object", "block") != "block":
        raise wrong(f"{at}.object", f"should be `block`, instead was {quoted(item['object'])}")
    content = dict(mapping(item.get(kind), f"{at}.{kind}"))
    children = content.pop("children", None)
    checked = _content(state, kind, content, f"{at}.{kind}")
    return Draft(kind, checked, _children(state, kind, checked, children, f"{at}.{kind}.children", depth))


def _children(state: NotionState, kind: str, content: Json, given: Any, at: str, depth: int) -> tuple[Draft, ...]:
    if given is None:
        return ()
    is_parent = content["is_toggleable"] if kind in HEADINGS else kind in PARENTS
    if not is_parent or depth == MAX_DEPTH:
        raise wrong(at, f"should be not present, instead was {quoted(given)}")
    return tuple(_draft(state, item, f"{at}[{n}]", depth + 1) for n, item in enumerate(objects(given, at)))


def _content(state: NotionState, kind: str, content: Json, at: str) -> Json:
    if kind == "divider":
        only(content, set(), at)
        return {}
    if kind == "bookmark":
        only(content, {"url", "caption"}, at)
        caption = text.rich_text(state, content.get("caption", []), f"{at}.caption")
        return {"url": checks.url(content.get("url"), f"{at}.url"), "caption": caption}
    only(content, {"rich_text"} | EXTRA_KEYS.get(kind, {"color"}), at)
    if "rich_text" not in content:
        raise wrong(f"{at}.rich_text", "should be defined, instead was `undefined`")
    checked = {"rich_text": text.rich_text(state, content["rich_text"], f"{at}.rich_text")}
    return checked | _extras(state, kind, content, at)


def _extras(state: NotionState, kind: str, content: Json, at: str) -> Json:
    if kind == "code":
        return _code(state, content, at)
    extras: Json = {"color": text.color(content.get("color", "default"), at)}
    if kind == "to_do":
        extras["checked"] = checks.boolean(content.get("checked", False), f"{at}.checked")
    if kind in HEADINGS:
        extras["is_toggleable"] = checks.boolean(content.get("is_toggleable", False), f"{at}.is_toggleable")
    if kind in ("callout", "paragraph"):
        extras["icon"] = icon(content.get("icon"), f"{at}.icon")
    return extras


def _code(state: NotionState, content: Json, at: str) -> Json:
    language = content.get("language")
    if not isinstance(language, str) or language not in LANGUAGES:
        raise wrong(f"{at}.language", f"should be a known language, instead was {quoted(language)}")
    return {
        "language": language,
        "caption": text.rich_text(state, content.get("caption", []), f"{at}.caption"),
    }


def icon(value: Any, at: str) -> Json | None:
    """Check an emoji or the address of a picture."""
    if value is None:
        return None
    only(mapping(value, at), {"type", "emoji", "external"}, at)
    if "emoji" in value:
        words = checks.string(value["emoji"], f"{at}.emoji", 20)
        if not words or words.isascii():
            raise wrong(f"{at}.emoji", f"should be an emoji, instead was {quoted(words)}")
        return {"type": "emoji", "emoji": words}
    address = checks.url(mapping(value.get("external"), f"{at}.external").get("url"), f"{at}.external.url")
    return {"type": "external", "external": {"url": address}}


def store(state: NotionState, drafts: list[Draft] | tuple[Draft, ...], parent: str, by: str) -> list[str]:
    """Keep checked blocks below a parent; returns their ids, which the caller puts in place."""
    ids = []
    for draft in drafts:
        block = Block(new_id(), parent, draft.type, draft.content, by=by)
        state.blocks[block.id] = block
        block.children = store(state, draft.children, block.id, by)
        ids.append(block.id)
    return ids
