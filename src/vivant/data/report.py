"""What was kept of a set of clips and why the rest was not: one self-contained HTML page."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from vivant.pages import data_url, page

Row = dict[str, Any]

MEASURES = ("seconds", "speed", "confidence", "jump", "text")
BINS = 20


def write_report(rows: list[Row]) -> str:
    """The page for rows as `vivant.data.prepare.prepare` returns them."""
    kept = [row for row in rows if "dropped" not in row]
    dropped = [row for row in rows if "dropped" in row]
    tables = {
        "Category": Counter(str(r.get("category") or "-") for r in kept),
        "Licence": Counter(str(r.get("licence") or "-") for r in kept),
        "Dropped because": Counter(_kind(r["dropped"]) for r in dropped),
    }
    measured = [row["quality"] for row in rows if "quality" in row]
    return page(
        "prepared",
        title="Prepared clips",
        tables=[(title, counts.most_common()) for title, counts in tables.items()],
        histograms=[_histogram(name, [q[name] for q in measured]) for name in MEASURES if measured],
        kept=[_figure(row) for row in kept],
        dropped=[_figure(row) for row in dropped],
    )


def _kind(reason: str) -> str:
    return reason.partition(" (")[0].partition(":")[0].partition(" of ")[0]


def _histogram(name: str, values: list[float]) -> tuple[str, float, float, list[float]]:
    """A measure's name, its least and largest value, and the heights of its bars, 0..1."""
    counts, edges = np.histogram(values, BINS)
    shares = counts / max(int(counts.max()), 1)
    return name, float(edges[0]), float(edges[-1]), [float(share) for share in shares]


def _figure(row: Row) -> Row:
    return {
        "name": row.get("shot", row["clip"]),
        "note": row.get("dropped", row.get("category", "")),
        "image": data_url(row.get("thumbnail", ""), "image/jpeg"),
    } | {k: row[k] for k in ("dropped",) if k in row}
