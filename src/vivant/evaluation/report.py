"""Measurements as JSON and as one self-contained HTML page."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vivant.evaluation.run import Row
from vivant.evaluation.tables import (
    Figure,
    Table,
    beaten,
    control_figures,
    frames_table,
    motion_table,
)
from vivant.files import publish

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 84rem; color: #222 }
table { border-collapse: collapse; margin-bottom: 1.5rem } small { color: #777 }
td, th { padding: .15rem .7rem .15rem 0; text-align: right } .beaten { color: #c00 }
td:first-child, th:first-child { text-align: left } th { cursor: pointer } img { display: block }
"""
SORT = """
document.querySelectorAll("th").forEach(th => th.onclick = () => {
  const body = th.closest("table").tBodies[0], k = th.cellIndex, up = th.dataset.up !== "1";
  th.dataset.up = up ? "1" : "0";
  const key = row => { const t = row.cells[k].dataset.value ?? row.cells[k].textContent;
    return isNaN(parseFloat(t)) ? t : parseFloat(t) };
  [...body.rows].sort((a, b) => (key(a) > key(b) ? 1 : -1) * (up ? 1 : -1))
    .forEach(row => body.append(row));
});
"""
MOTION = (
    "where", "where_median", "direction_best", "direction_mean", "rhythm", "endpoint_best",
    "leakage", "calibration", "drift_correlation", "diversity",
)  # fmt: skip


def write_reports(rows: list[Row], about: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write ``results.json`` and ``report.html`` into ``out``; returns what the JSON holds."""
    motion = motion_table([row for row in rows if not row.get("camera_removed")])
    every = motion_table(rows)
    frames, control = frames_table(rows), control_figures(rows)
    results = {
        **about,
        "cases": len(rows),
        "cases_with_truth": sum(bool(row["motion"]) for row in rows),
        "motion": {name: _rounded(figures) for name, figures in motion.items()},
        "motion_with_camera_removed": {name: _rounded(f) for name, f in every.items()},
        "frames": {name: _rounded(figures) for name, figures in frames.items()},
        "control": _rounded(control),
        "beaten": [
            f"{subject}: {measure}"
            for table in (motion or every, frames)
            for subject, figures in table.items()
            for measure in figures
            if beaten(table, subject, measure)
        ],
        "clips": {row["name"]: _brief(row) for row in rows},
    }
    with publish(out / "results.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    with publish(out / "report.html") as temporary:
        temporary.write_text(_page(rows, about, (motion, every), frames, control), "utf-8")
    return results


def _rounded(figures: dict[str, Figure]) -> dict[str, dict[str, float]]:
    return {
        name: {k: round(v, 3) for k, v in asdict(figure).items()}
        for name, figure in figures.items()
    }


def _brief(row: Row) -> dict[str, Any]:
    mine = row["motion"].get("model") or row["motion"].get("as filmed") or {}
    return {"category": row["category"]} | {k: round(v, 3) for k, v in mine.items()}


def _page(
    rows: list[Row],
    about: dict[str, Any],
    motion: tuple[Table, Table],
    frames: Table,
    control: dict[str, Figure],
) -> str:
    facts = html.escape(", ".join(f"{k}: {v}" for k, v in about.items()))
    parts = [
        "<!doctype html><meta charset=utf-8><title>vivant evaluate</title>",
        f"<style>{STYLE}</style><h1>Measured quality</h1><p>{facts}.</p>",
        "<p>Means over clips with 95 % bootstrap intervals. Red: a baseline is as good.</p>",
    ]
    titles = ("camera that stands still", "also where the camera was taken out of the labels")
    for title, table in zip(titles, motion, strict=True):
        if table:
            count = table[next(iter(table))]["clips"].value
            parts.append(f"<h2>Motion, {title}: {count:.0f} clips</h2>")
            parts += [_plot(table, "where"), _table(table, MOTION)]
    parts += ["<h2>Frames</h2>", _table(frames, tuple(next(iter(frames.values()))))]
    if control:
        parts.append("<h2>Control, speed, distance</h2>")
        parts.append(_table({name: {"mean": f} for name, f in control.items()}, ("mean",)))
    parts += ["<h2>Clips, worst first</h2>", _clips(rows), f"<script>{SORT}</script>"]
    return "\n".join(parts) + "\n"


def _table(table: Table, measures: tuple[str, ...]) -> str:
    head = "".join(f"<th>{html.escape(m.replace('_', ' '))}" for m in ("", *measures))
    lines = []
    for name, figures in table.items():
        cells = "".join(
            _cell(figures[m], beaten(table, name, m)) if m in figures else "<td>" for m in measures
        )
        lines.append(f"<tr><td>{html.escape(name)}{cells}")
    return f"<table><thead><tr>{head}<tbody>{''.join(lines)}</table>"


def _cell(figure: Figure, red: bool) -> str:
    css = " class=beaten" if red else ""
    value = f"{figure.value:.3g} <small>{figure.low:.2g} to {figure.high:.2g}</small>"
    return f"<td{css} data-value={figure.value:.6g}>{value}"


def _plot(table: Table, measure: str) -> str:
    """Bars from 0 to 1 with their intervals."""
    bars = []
    for k, (name, figures) in enumerate(table.items()):
        figure, y = figures[measure], 24 * k
        wide, low, high = (400 * min(max(v, 0), 1) for v in (figure.value, figure.low, figure.high))
        bars.append(
            f'<text x="0" y="{y + 15}">{html.escape(name)}</text>'
            f'<rect x="190" y="{y + 3}" width="{wide:.0f}" height="15" fill="#7aa6d8"/>'
            f'<path d="M{190 + low:.0f} {y + 10}H{190 + high:.0f}" stroke="#222"/>'
        )
    rule = f'<path d="M390 0V{24 * len(bars)}" stroke="#c00" stroke-dasharray="3"/>'
    return f'<svg width="620" height="{24 * len(bars) + 6}">{"".join(bars)}{rule}</svg>'


def _badness(row: Row) -> tuple[float, float]:
    mine = row["motion"].get("model") or row["motion"].get("as filmed")
    frames = row["frames"].get("model", {})
    return (mine["where"] if mine else 1.0, -float(frames.get("warp_error", 0.0)))


def _clips(rows: list[Row]) -> str:
    columns = ("clip", "category", "where", "best direction", "leakage", "warp error", "dynamic")
    head = "".join(f"<th>{name}" for name in (*columns, "step", "picture, truth, map, samples"))
    lines = []
    for row in sorted(rows, key=_badness):
        motion = row["motion"].get("model") or row["motion"].get("as filmed") or {}
        frames = row["frames"].get("model", {})
        values = [motion.get(k) for k in ("where", "direction_best", "leakage")]
        values += [frames.get("warp_error"), frames.get("dynamic"), frames.get("step")]
        cells = "".join("<td>" if v is None else f"<td>{v:.3g}" for v in values)
        image = base64.b64encode(bytes.fromhex(row["strip"])).decode()
        shown = f'<img src="data:image/webp;base64,{image}" height=96 alt="">' if image else ""
        name, category = html.escape(row["name"]), html.escape(row["category"])
        lines.append(f"<tr><td>{name}<td>{category}{cells}<td>{shown}")
    return f"<table><thead><tr>{head}<tbody>{''.join(lines)}</table>"
