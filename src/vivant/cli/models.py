"""``vivant models``: the registry as a table."""

from __future__ import annotations

from vivant.bundle import BUILTIN, open_bundle
from vivant.cli.show import print_json
from vivant.registry import MODELS


def show_models(as_json: bool) -> None:
    """Print every model with its family, licence, controls and (built-in) weights' hash."""
    rows = [
        {
            "name": spec.name,
            "family": spec.family,
            "summary": spec.summary,
            "licence": spec.licence,
            "runs_on": spec.runs_on,
            "controls": list(spec.controls),
        }
        for spec in MODELS.values()
    ]
    for row in rows:
        if row["name"] == "builtin":
            identity = open_bundle(BUILTIN).identity
            row["version"], row["sha256"] = identity.version, identity.sha256
    if as_json:
        print_json(rows)
        return
    for row in rows:
        where = f"{row['family']}, {row['licence']}, {row['runs_on']}"
        print(f"{row['name']}  ({where}): {row['summary']}")
        print(f"    controls: {', '.join(row['controls'])}")
