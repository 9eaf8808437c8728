"""Measurements as JSON and as one self-contained HTML page."""

from __future__ import annotations

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
    kind_tables,
    motion_table,
)
from vivant.files import publish
from vivant.pages import data_url, page

MOTION = (
    "where", "where_median", "direction_best", "direction_mean", "rhythm", "endpoint_best",
    "leakage", "calibration", "drift_correlation", "diversity",
)  # fmt: skip
COLUMNS = {
    "where": "where", "best direction": "direction_best", "leakage": "leakage",
    "warp error": "warp_error", "dynamic": "dynamic", "step": "step",
}  # fmt: skip
"""Of the table of clips, by what they are called there."""


def write_reports(rows: list[Row], about: dict[str, Any], out: Path) -> dict[str, Any]:
    """Write ``results.json`` and ``report.html`` into ``out``; returns what the JSON holds."""
    motion = motion_table([row for row in rows if not row.get("camera_removed")])
    every, kinds = motion_table(rows), kind_tables(rows)
    frames, control = frames_table(rows), control_figures(rows)
    results = {
        **about,
        "cases": len(rows),
        "cases_with_truth": sum(bool(row["motion"]) for row in rows),
        "motion": {name: _rounded(figures) for name, figures in motion.items()},
        "motion_with_camera_removed": {name: _rounded(f) for name, f in every.items()},
        "motion_by_kind": {
            kind: {name: _rounded(figures) for name, figures in table.items()}
            for kind, table in kinds.items()
        },
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
        temporary.write_text(_page(rows, about, (motion, every), kinds, frames, control), "utf-8")
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
    kinds: dict[str, Table],
    frames: Table,
    control: dict[str, Figure],
) -> str:
    tables = [(_kind_title(kind, table), *_rows(table, MOTION)) for kind, table in kinds.items()]
    tables += [("Frames", *_rows(frames, tuple(next(iter(frames.values())))))]
    if control:
        one: Table = {name: {"mean": figure} for name, figure in control.items()}
        tables.append(("Control, speed, distance", *_rows(one, ("mean",))))
    titles = ("camera that stands still", "also where the camera was taken out of the labels")
    return page(
        "evaluated",
        title="Measured quality",
        facts=", ".join(f"{name}: {value}" for name, value in about.items()),
        motion=[_motion(*part) for part in zip(titles, motion, strict=True) if part[1]],
        tables=tables,
        columns=("clip", "category", *COLUMNS),
        clips=[_clip(row) for row in sorted(rows, key=_badness)],
    )


def _kind_title(kind: str, table: Table) -> str:
    clips = round(next(iter(table.values()))["clips"].value)
    return f"Motion of {kind} alone, {clips} clips"


def _motion(title: str, table: Table) -> dict[str, Any]:
    rows, measures = _rows(table, MOTION)
    bars = []
    for name, figures in table.items():
        figure = figures["where"]
        spans = (min(max(v, 0.0), 1.0) for v in (figure.value, figure.low, figure.high))
        bars.append((name, *spans))
    clips = round(table[next(iter(table))]["clips"].value)
    return {"title": title, "clips": clips, "bars": bars, "rows": rows, "measures": measures}


def _rows(
    table: Table, measures: tuple[str, ...]
) -> tuple[list[tuple[str, list[dict[str, Any] | None]]], tuple[str, ...]]:
    """Each subject with its cells, None where it has no such figure, and the columns."""
    return [
        (
            name,
            [
                {**asdict(figures[m]), "beaten": beaten(table, name, m)} if m in figures else None
                for m in measures
            ],
        )
        for name, figures in table.items()
    ], measures


def _badness(row: Row) -> tuple[float, float]:
    mine = row["motion"].get("model") or row["motion"].get("as filmed")
    frames = row["frames"].get("model", {})
    return (mine["where"] if mine else 1.0, -float(frames.get("warp_error", 0.0)))


def _clip(row: Row) -> dict[str, Any]:
    motion = row["motion"].get("model") or row["motion"].get("as filmed") or {}
    figures = {**row["frames"].get("model", {}), **motion}
    return {
        "name": row["name"],
        "category": row["category"],
        "values": [figures.get(key) for key in COLUMNS.values()],
        "image": data_url(row["strip"], "image/webp"),
    }
