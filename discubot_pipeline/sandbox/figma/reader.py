"""Shows a file's comments with their replies as HTML, and plays the redirects of Figma's mails. Mounted by app."""

from html import escape

from fastapi import APIRouter, HTTPException
from fastapi.responses import HTMLResponse, RedirectResponse

from discubot_pipeline.sandbox.control import TheWorld
from discubot_pipeline.sandbox.figma.state import Comment, FigmaState, File
from discubot_pipeline.sandbox.slack.shapes import glyph

router = APIRouter(prefix="/figma")


@router.get("/file/{key}")
@router.get("/file/{key}/")
@router.get("/design/{key}")
@router.get("/design/{key}/")
async def show(world: TheWorld, key: str) -> HTMLResponse:
    """Show the comments of a file."""
    if key not in world.figma.files:
        raise HTTPException(404, "no such file")
    file = world.figma.files[key]
    roots = [comment for comment in file.comments.values() if comment.parent_id is None]
    threads = "".join(_thread(world.figma, file, root) for root in roots)
    head = f"<!DOCTYPE html><meta charset=utf-8><title>{escape(file.name)}</title><link rel=stylesheet href=/style.css>"
    return HTMLResponse(f"{head}<main class=file><h1>{escape(file.name)}</h1>{threads}</main>")


@router.head("/click/{key}")
@router.get("/click/{key}")
async def click(world: TheWorld, key: str, root: str) -> RedirectResponse:
    """Lead a mail's link to its comment."""
    return RedirectResponse(f"{world.base_url}/figma/design/{key}/?node-id=1-2#{root}")


def _thread(state: FigmaState, file: File, root: Comment) -> str:
    return f"<ul>{''.join(_comment(state, one) for one in file.thread(root.id))}</ul>"


def _comment(state: FigmaState, one: Comment) -> str:
    marks = " ".join(glyph(code.strip(":")) for _, code, _ in one.reactions)
    name = escape(state.accounts[one.account_id].handle)
    words = escape(one.message).replace("\n", "<br>")
    return f'<li id="{one.id}"><b>{name}</b> {words} <small>{marks}</small></li>'
