"""The page that describes the API, made of its own schema: it loads nothing from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any

_HEAD = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>vivant: the API</title>"
    "<style>body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}</style>"
)
POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""Content-Security-Policy of the page."""


def page_of(schema: dict[str, Any]) -> str:
    """An HTML page of the operations of an OpenAPI ``schema``."""
    rows = [
        _operation(method, path, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]
    link = "<p>The whole schema: <a href=openapi.json>openapi.json</a></p>"
    return f"{_HEAD}<h1>{escape(schema['info']['title'])}</h1>{link}{''.join(rows)}</html>"


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    names = ", ".join(escape(given["name"]) for given in operation.get("parameters", ()))
    takes = f"<p>Takes {names}</p>" if names else ""
    return (
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>"
        f"<p>{escape(operation.get('summary', ''))}</p>"
        f"<p>{escape(operation.get('description', ''))}</p>{takes}"
    )
