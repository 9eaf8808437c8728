"""What was kept of a set of clips and why the rest was not: one self-contained HTML page."""

from __future__ import annotations

import base64
import html
from collections import Counter
from typing import Any

import numpy as np

Row = dict[str, Any]

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; color: #222 }
table { border-collapse: collapse } td, th { padding: .2rem .8rem .2rem 0; text-align: left }
figure { display: inline-block; margin: .4rem; width: 11rem; vertical-align: top }
figcaption { font-size: 12px } .dropped { opacity: .55 } svg { margin-right: 1.5rem }
"""
MEASURES = ("seconds", "speed", "confidence", "jump", "text")
BINS = 20


def write_report(rows: list[Row]) -> str:
    """The page for rows as `vivant.data.prepare.prepare` returns them."""
    kept = [row for row in rows if "dropped" not in row]
    dropped = [row for row in rows if "dropped" in row]
    parts = [
        "<!doctype html><meta charset=utf-8><title>Prepared clips</title>",
        f"<style>{STYLE}</style><h1>Prepared clips</h1>",
        f"<p>{len(kept)} shots kept, {len(dropped)} dropped.</p>",
        _counts("Category", Counter(str(r.get("category") or "-") for r in kept)),
        _counts("Licence", Counter(str(r.get("licence") or "-") for r in kept)),
        _counts("Dropped because", Counter(_kind(r["dropped"]) for r in dropped)),
        "<h2>Measures</h2>",
        *(
            _histogram(name, [r["quality"][name] for r in rows if "quality" in r])
            for name in MEASURES
        ),
        "<h2>Kept</h2>",
        *(_figure(row) for row in kept),
        "<h2>Dropped</h2>",
        *(_figure(row) for row in dropped),
    ]
    return "\n".join(parts) + "\n"


def _kind(reason: str) -> str:
    return reason.partition(" (")[0].partition(":")[0].partition(" of ")[0]


def _counts(title: str, counts: Counter[str]) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(name)}<td>{number}" for name, number in counts.most_common()
    )
    return f"<h2>{title}</h2><table>{lines}</table>"


def _histogram(name: str, values: list[float]) -> str:
    if not values:
        return ""
    counts, edges = np.histogram(values, BINS)
    top = max(int(counts.max()), 1)
    bars = "".join(
        f'<rect x="{10 * k}" y="{60 - 60 * c / top:.1f}" width="9" height="{60 * c / top:.1f}"/>'
        for k, c in enumerate(counts)
    )
    text = f"{name}: {edges[0]:.3g} to {edges[-1]:.3g}"
    return f'<svg width="200" height="80">{bars}<text y="76" font-size="11">{text}</text></svg>'


def _figure(row: Row) -> str:
    name = html.escape(str(row.get("shot", row["clip"])))
    image = ""
    if row.get("thumbnail"):
        data = base64.b64encode(bytes.fromhex(row["thumbnail"])).decode()
        image = f'<img src="data:image/jpeg;base64,{data}" height=90 alt="">'
    note = html.escape(str(row.get("dropped", row.get("category", ""))))
    css = "dropped" if "dropped" in row else ""
    return f'<figure class="{css}">{image}<figcaption>{name}<br>{note}</figcaption></figure>'
