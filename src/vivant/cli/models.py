"""``vivant models``: the registry as a table, and networks of the user's own."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vivant.cli.show import print_json, say
from vivant.errors import BundleError, UsageError
from vivant.files import publish, sha256_of
from vivant.registry import MODELS, added_models, open_model
from vivant.scene.guests import check_guest, guests_at
from vivant.settings import Settings


def show_models(as_json: bool, settings: Settings) -> None:
    """Print every installed model: family, licence, what it honours, hash of its weights; and
    the networks that the user added."""
    rows = [_row(name) for name in MODELS]
    rows += [_row_of_added(name) for name in added_models(settings)]
    rows += [
        {"name": path.name, "family": "eyes", "sha256": sha256_of(path)}
        for path in _added(settings)
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        if "problem" in row:
            print(f"{row['name']}  (cannot be opened): {row['problem']}")
            continue
        if row["family"] == "eyes":
            print(f"{row['name']}  (your own, used for what is seen): {row['sha256'][:12]}")
            continue
        where = f"{row['family']}, {row['licence']}, {row['runs_on']}"
        print(f"{row['name']}  ({where}): {row['summary']}")
        print(f"    controls: {', '.join(row['controls'])}")


def add_eyes(
    depth: Path | None, kinds: Path | None, remove: str | None, settings: Settings
) -> None:
    """Take in networks of the user's own after they have answered once, or forget one.

    Raises UsageError where nothing is asked for, BundleError where a network does not fit.
    """
    if (depth or kinds or remove) is None:
        raise UsageError("Name a network: --depth FILE.onnx or --kinds FILE.onnx.")
    folder = settings.home / "eyes"
    if remove is not None:
        if remove not in ("depth", "kinds"):
            raise UsageError(f"--remove takes depth or kinds, not {remove!r}.")
        for ending in (".onnx", ".json"):
            (folder / f"{remove}{ending}").unlink(missing_ok=True)
    for kind, path in (("depth", depth), ("kinds", kinds)):
        if path is not None:
            _take_in(path, folder / f"{kind}.onnx", kind)


def _take_in(path: Path, place: Path, kind: str) -> None:
    if not path.is_file():
        raise UsageError(f"There is no network {path}.")
    check_guest(path, kind)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".json")
    with publish(place) as temporary:
        shutil.copyfile(path, temporary)
    if beside.is_file():
        with publish(place.with_suffix(".json")) as temporary:
            shutil.copyfile(beside, temporary)
    else:
        place.with_suffix(".json").unlink(missing_ok=True)
    say(f"{path} is used for {kind} from now on ({sha256_of(place)[:12]}).")


def _added(settings: Settings) -> list[Path]:
    guests = guests_at(settings.home)
    return [path for path in (guests.depth, guests.kinds) if path is not None]


def _row_of_added(name: str) -> dict[str, Any]:
    """As `_row`; one that cannot be opened hides no other."""
    try:
        return _row(name)
    except BundleError as error:
        return {"name": name, "family": "", "problem": str(error)}


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
