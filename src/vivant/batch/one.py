"""One clip of a batch, in a process of its own or on another machine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from vivant import job
from vivant.asset import Kind
from vivant.errors import UsageError
from vivant.media.assets import FileAssets
from vivant.media.formats import format_for
from vivant.provenance.keys import signing_key
from vivant.provenance.policy import policy_of
from vivant.provenance.release import Delivery
from vivant.registry import load, runtime_of
from vivant.request import Generator, Request
from vivant.settings import read_settings
from vivant.wire import Answer


def make(
    request: dict[str, Any],
    files: dict[str, tuple[str, Kind]],
    format: str,  # noqa: A002 - the word users know
    consent: bool,
    out: str,
) -> Iterator[Answer]:
    """Make the clip ``out``; answers its hash. Raises VivantError where that fails."""
    wanted, settings = Request.from_data(request), read_settings()
    with FileAssets() as assets:
        for sha256, (path, kind) in files.items():
            if assets.add(Path(path), kind).sha256 != sha256:
                raise UsageError(f"{path} changed while it waited; run again.")
        done = job.run(
            wanted,
            Delivery(Path(out), format_for(None, format), overwrite=True),
            assets,
            _generator(wanted.model),
            signing_key(settings),
            policy=policy_of(settings, consent),
        )
    yield Answer({"sha256": done.clip.sha256, "notes": list(done.plan.notes)})


@cache
def _generator(model: str) -> Generator:
    return load(model, runtime_of(read_settings()))
