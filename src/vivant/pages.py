"""Self-contained HTML pages from the templates in ``vivant/templates``."""

from __future__ import annotations

import base64
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, **values: Any) -> str:
    """The template ``NAME.html`` filled with ``values``; whatever they hold is escaped."""
    return _environment().get_template(f"{template}.html").render(**values)


def data_url(hexadecimal: str, kind: str) -> str:
    """A picture's bytes, in hexadecimal, as the address of an image of the media type ``kind``;
    "" for no bytes."""
    data = base64.b64encode(bytes.fromhex(hexadecimal)).decode()
    return f"data:{kind};base64,{data}" if data else ""


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
