"""``vivant models``: the registry as a table."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from vivant.cli.show import print_json
from vivant.registry import MODELS, open_model


def show_models(as_json: bool) -> None:
    """Print every installed model: family, licence, what it honours, hash of its weights."""
    rows = [_row(name) for name in MODELS]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        where = f"{row['family']}, {row['licence']}, {row['runs_on']}"
        print(f"{row['name']}  ({where}): {row['summary']}")
        print(f"    controls: {', '.join(row['controls'])}")


def _row(name: str) -> dict[str, Any]:
    model = open_model(name)
    identity, able = model.generator.identity, model.generator.capabilities
    return {
        "name": name,
        "family": model.family,
        "summary": model.summary,
        "licence": model.licence,
        "runs_on": model.runs_on,
        "version": identity.version,
        "sha256": identity.sha256,
        **asdict(able),
    }
