"""The stages of each run as one bar, in a self-contained SVG."""

from __future__ import annotations

import html
from typing import Any

WIDTH, BAR, LEFT = 560, 22, 190
COLOURS = (
    "#bbbbbb", "#888888", "#8dd3c7", "#b3de69", "#fdb462", "#80b1d3",
    "#bebada", "#fb8072", "#ffed6f", "#4d79a8", "#444444",
)  # fmt: skip


def svg(results: dict[str, Any]) -> str:
    """CPU seconds by stage, one bar a run; the line ends at the whole command's CPU time."""
    rows = results["runs"]
    names = list(rows[0]["stages"])
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(names)}
    top = max(max(_sum(row), row["whole"]["cpu"]) for row in rows)
    parts = [_bar(k, row, colours, WIDTH / top) for k, row in enumerate(rows)]
    base = (BAR + 8) * len(rows) + 12
    for k, name in enumerate(names):
        x, y = LEFT + 140 * (k % 4), base + 18 * (k // 4)
        parts.append(
            f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colours[name]}"/>'
            f'<text x="{x + 16}" y="{y + 11}">{html.escape(name)}</text>'
        )
    height = base + 18 * (len(names) // 4 + 1) + 22
    machine = results["machine"]
    note = f"CPU seconds. {machine['cpu']}, {machine['cores']} cores, {results['date']}"
    parts.append(f'<text x="4" y="{height - 6}">{html.escape(note)}</text>')
    style = "font: 12px system-ui, sans-serif"
    total = LEFT + WIDTH + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total}" height="{height}"'
        f' style="{style}"><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _sum(row: dict[str, Any]) -> float:
    return sum(float(cost["cpu"]) for cost in row["stages"].values())


def _bar(k: int, row: dict[str, Any], colours: dict[str, str], scale: float) -> str:
    y, x, parts = (BAR + 8) * k + 4, float(LEFT), []
    label = f"{row['width']}x{row['height']}, {row['seconds']:g} s"
    parts.append(f'<text x="4" y="{y + 15}">{label}</text>')
    for name, cost in row["stages"].items():
        wide = cost["cpu"] * scale
        parts.append(
            f'<rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{BAR}" fill="{colours[name]}"/>'
        )
        x += wide
    end = LEFT + row["whole"]["cpu"] * scale
    parts.append(f'<path d="M{LEFT} {y + BAR + 2}H{end:.1f}" stroke="#000" stroke-width="2"/>')
    parts.append(f'<text x="{max(x, end) + 4:.1f}" y="{y + 15}">{row["whole"]["cpu"]:.1f}</text>')
    return "".join(parts)
