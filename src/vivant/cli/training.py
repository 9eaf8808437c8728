"""``vivant prepare``, ``vivant data`` and ``vivant train``."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from vivant.child import Limits
from vivant.cli.show import one_line, progress_bars, say
from vivant.data.quality import Thresholds
from vivant.errors import UsageError, VivantError
from vivant.files import claim_folder

MARKS = ("clips", "removed.jsonl", "*.tar")
"""What `vivant prepare` leaves in its folder."""


def prepare_clips(
    wheres: tuple[Path, ...],
    out: Path,
    splits: tuple[str, ...],
    processes: int,
    thresholds: Thresholds,
    limits: Limits,
    procedural: int,
    short: int = 0,
) -> None:
    """Label clips into shards and say what was dropped and why; then make procedural scenes."""
    from vivant.data.procedural import prepare_procedural

    if processes < 1:
        raise UsageError(f"--processes must be at least 1, not {processes}.")
    if procedural < 0:
        raise UsageError(f"--procedural must not be negative, not {procedural}.")
    if short and not 16 <= short <= 1024:
        raise UsageError(f"--frames must be from 16 to 1024 pixels, not {short}.")
    if not wheres and not procedural:
        raise UsageError("Name folders or manifests of clips, or ask for --procedural scenes.")
    if wheres:
        _prepare_real(wheres, out, splits, processes, thresholds, limits, short)
    if procedural:
        claim_folder(out, *MARKS)
        with progress_bars(quiet=False) as progress:
            prepare_procedural(procedural, out, processes, lambda s: progress("scenes", s), short)
        say(f"{procedural} procedural scenes in {out}")


def _prepare_real(
    wheres: tuple[Path, ...],
    out: Path,
    splits: tuple[str, ...],
    processes: int,
    thresholds: Thresholds,
    limits: Limits,
    short: int,
) -> None:
    from vivant.data.prepare import prepare
    from vivant.data.sources import read_sources
    from vivant.provenance.policy import training_refusal

    sources = [source for where in wheres for source in read_sources(where, splits)]
    claim_folder(out, *MARKS)
    with progress_bars(quiet=False) as progress:
        rows = prepare(
            sources,
            out,
            processes,
            thresholds=thresholds,
            limits=limits,
            refusal=training_refusal,
            short=short,
            progress=lambda share: progress("labelling", share),
        )
    dropped = [row for row in rows if "dropped" in row]
    for row in dropped:
        say(f"{row.get('shot', row['clip'])}: dropped, {row['dropped']}")
    if len(dropped) == len(rows):
        raise VivantError(f"None of the {len(sources)} clips could be used; see {out / 'log.txt'}.")
    say(f"{len(rows) - len(dropped)} shots in {out}, {len(dropped)} dropped; see report.html there")


def list_shards(folder: Path, json_: bool) -> None:
    """Print what the shards of a folder were made of."""
    from vivant.data.removal import entries

    names = ("split", "category", "licence", "origin", "sha256")
    for entry in entries(folder):
        facts = {"shot": entry.path.stem} | {n: str(entry.facts.get(n, "")) for n in names}
        print(json.dumps(facts) if json_ else "\t".join(map(one_line, facts.values())))


def remove_shards(folder: Path, match: str, reason: str, models: list[str]) -> None:
    """Honour a removal request and name the weights that saw the clips."""
    from vivant.bundle import BUILTIN
    from vivant.data.removal import remove, seen_by

    gone = remove(folder, match, reason)
    for entry in gone:
        say(f"{entry.path.stem}: removed")
    for name, bundle in [("builtin", BUILTIN), *((m, Path(m)) for m in models)]:
        shots = seen_by(bundle, gone)
        if shots:
            say(f"the model {name} was trained on {', '.join(shots)}: train it again without")
        else:
            say(f"the model {name} was not trained on any of them")


def train_recipe(
    recipe_path: Path, data: Path, val: Path | None, out: Path, start: str | None
) -> None:
    """Run a recipe and say where its bundle lies."""
    from vivant.bundle import BUILTIN, open_bundle
    from vivant.data.shards import shard_paths
    from vivant.training.manners import MannersRecipe, train_manners

    recipe = load_recipe(recipe_path)
    if isinstance(recipe, MannersRecipe):
        if val is not None or start is not None:
            raise UsageError("Constants of manners are fitted to clips: leave --val, --from out.")
        train_manners(recipe, data, out, say)
        say(f"the constants are in {out / 'manners.json'}; they go into a bundle's config.json")
        return
    for folder in (data, val):
        if folder is not None and not shard_paths(folder):
            raise UsageError(f"{folder} holds no shards; make them with `vivant prepare`.")
    try:
        from vivant.training.builtin import train_builtin
        from vivant.training.video.run import VideoRecipe, train_video
    except ImportError as error:
        raise UsageError(
            f"Training needs more packages ({error.name}): pip install 'vivant[train]'."
        ) from error
    if isinstance(recipe, VideoRecipe):
        if start is not None:
            raise UsageError("A video model is trained from the beginning: leave --from out.")
        bundle = train_video(recipe, data, val, out, say)
        say(f"the model is in {bundle}; use it with --model {out}")
        return
    first = None if start is None else open_bundle(BUILTIN if start == "builtin" else Path(start))
    bundle = train_builtin(recipe, data, val, out, say, first)
    say(f"the model is in {bundle}; use it with --model {bundle}")


def load_recipe(path: Path) -> Any:
    """The value of ``recipe()`` in a Python file."""
    if not path.is_file():
        raise UsageError(f"There is no recipe {path}.")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return module.recipe()
    except ImportError as error:
        raise UsageError(
            f"The recipe needs more packages ({error.name}): pip install 'vivant[train]'."
        ) from error
    except AttributeError as error:
        raise UsageError(f"{path} has no function recipe().") from error
