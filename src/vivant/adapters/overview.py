"""The families as a table for people: ``python -m vivant.adapters.overview`` prints that of
``docs/adapters.md``."""

from __future__ import annotations

from vivant.adapters.families import TABLE, Family
from vivant.adapters.memory import published, published_needs
from vivant.adapters.model import HONOURS

EVERY = ("steps", "render", "steady-colour")
"""What every family honours; the table leaves it out."""


def table() -> list[str]:
    """Lines of Markdown: a family a row."""
    head = (
        "| family | honoured besides | refused | frames | working size | weights | on a GPU, GiB"
        " | their licence |"
    )
    return [head, "|-|-|-|-|-|-|-|-|", *(_row(family) for family in TABLE)]


def _row(family: Family) -> str:
    able = {name: honours(family) for name, honours in HONOURS if name not in EVERY}
    able["last"] = family.last
    shown = {"words": "prompt"}
    honoured = [shown.get(name, name) for name, is_able in able.items() if is_able]
    refused = [shown.get(name, name) for name, is_able in able.items() if not is_able]
    if family.needs_last:
        honoured[-1] = "last (needed)"
    cells = (
        f"{family.title} (`{family.name}`)",
        ", ".join(honoured),
        ", ".join(refused) or "-",
        f"{_frames(family)}, {family.fps} a second",
        _size(family),
        f"{sum(family.billions.values()):.1f} B, {published(family):.0f} GiB",
        " / ".join(f"{need:.0f}" for need in published_needs(family).values()),
        family.licence,
    )
    return f"| {' | '.join(cells)} |"


def _frames(family: Family) -> str:
    grid = family.grid
    most = grid.most(family.most)
    if grid.step == 1:
        return f"2 to {most}"
    return f"{grid.step}k+{grid.offset}, at most {most}"


def _size(family: Family) -> str:
    about = f"{family.area / 1e6:.2f} MP"
    if family.sizing == "fixed":
        return f"its own, {about}"
    if family.sizing == "buckets":
        return f"the picture's aspect, {about}"
    return f"multiples of {family.multiple}, up to {about}"


if __name__ == "__main__":
    print("\n".join(table()))
