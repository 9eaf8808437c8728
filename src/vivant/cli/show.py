"""What the command line says: progress, notes, one JSON object, one sentence for an error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Progress = Callable[[str, float], None]
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


def say(text: str) -> None:
    """One line for the person, on standard error."""
    print(one_line(text), file=sys.stderr)


def one_line(text: str) -> str:
    r"""Text in which names of files cannot break the line, move the cursor or turn the reading
    direction: such characters are written as ``\n``, ``\x1b``, ``\u202e``."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def print_json(value: Any) -> None:
    """The one object of ``--json``, on standard output."""
    print(json.dumps(value, indent=2, default=str))


def ask() -> Callable[[str], bool] | None:
    """A way to put a yes-or-no question, None where no person sits at a terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def put(question: str) -> bool:
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return put


@contextmanager
def progress_bars(quiet: bool) -> Iterator[Progress]:
    """A bar for each stage, on standard error; nothing where that is not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda stage, share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:>10}"), BarColumn(), TimeElapsedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def update(stage: str, share: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], completed=share)

        yield update
