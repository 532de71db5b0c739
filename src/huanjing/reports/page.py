"""Rendering a report: a Jinja template of this package, everything inlined, both languages in one file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from huanjing.errors import MissingExtraError
from huanjing.images import data_uri, encode_jpeg, encode_png, write_atomically
from huanjing.images.metadata import XMP_KEY

if TYPE_CHECKING:
    from jinja2 import Environment


def render_page(path: Path, template: str, **content: Any) -> None:
    """Write the page ``template`` (a file under ``templates/``) with ``content`` to ``path``, all of it or nothing.

    :raises MissingExtraError: where the parts that make reports are not installed.
    """
    html = _environment().get_template(template).render(**content)
    write_atomically(path, html.encode(errors="backslashreplace"))


def picture_uri(picture: NDArray[np.uint8], *, photograph: bool = False, xmp: str = "") -> str:
    """An HWC uint8 picture as a ``data:`` address: JPEG for photographs, PNG for what must stay exact.

    :param xmp: its XMP packet: a generated picture says that it is one when somebody saves it from the page.
    """
    if photograph:
        return data_uri(encode_jpeg(picture, 82, xmp), "image/jpeg")
    return data_uri(encode_png(picture, {XMP_KEY: xmp} if xmp else None), "image/png")


def both(english: str, chinese: str) -> Markup:
    """A text in both languages, of which the page shows the reader's."""
    return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(
        escape(english), escape(chinese)
    )


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ModuleNotFoundError:
        raise MissingExtraError("Writing reports", "train") from None
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["t"] = both
    return environment
