"""``vivant prepare`` and ``vivant train``."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from vivant.cli.show import progress_bars, say
from vivant.errors import UsageError, VivantError


def prepare_clips(source: Path, out: Path, splits: tuple[str, ...], processes: int) -> None:
    """Label clips into shards and say what was dropped and why."""
    from vivant.data.prepare import prepare, read_sources

    if processes < 1:
        raise UsageError(f"--processes must be at least 1, not {processes}.")
    sources = read_sources(source, splits)
    with progress_bars(quiet=False) as progress:
        lines = prepare(sources, out, processes, lambda share: progress("labelling", share))
    for line in lines:
        if "dropped" in line:
            say(line)
    shards = len(list(out.glob("*.tar")))
    if not shards:
        raise VivantError(f"None of the {len(sources)} clips could be used; see {out / 'log.txt'}.")
    say(f"{shards} shards in {out}")


def train_recipe(recipe_path: Path, data: Path, val: Path | None, out: Path) -> None:
    """Run a recipe and say where its bundle lies."""
    for folder in (data, val):
        if folder is not None and not any(folder.glob("*.tar")):
            raise UsageError(f"{folder} holds no shards; make them with `vivant prepare`.")
    recipe = load_recipe(recipe_path)
    try:
        from vivant.training.builtin import train_builtin
    except ImportError as error:
        raise UsageError(
            f"Training needs more packages ({error.name}): pip install 'vivant[train]'."
        ) from error
    bundle = train_builtin(recipe, data, val, out, say)
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
