"""What an extra adds to the base install on disk: the files of all packages it brings.

    python benchmarks/extra_size.py serve --out benchmarks/results/serve_size.json

Read from what is installed in this environment, which must have the extra.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def closure(wanted: list[str]) -> set[str]:
    """The names of all packages that requirements bring, themselves included."""
    found: set[tuple[str, str]] = set()
    waiting = [(Requirement(text), "") for text in wanted]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for one in ("", *sorted(requirement.extras)):
            if (name, one) in found:
                continue
            found.add((name, one))
            waiting += [(Requirement(t), one) for t in distribution(name).requires or ()]
    return {name for name, _ in found}


def size(name: str) -> int:
    """Bytes of a package's files on disk, in blocks as the disk counts them."""
    try:
        files = distribution(name).files or []
    except PackageNotFoundError:
        return 0
    paths = (Path(str(file.locate())) for file in files)
    return sum(path.stat().st_blocks * 512 for path in paths if path.is_file())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extra")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    base = closure(project["dependencies"])
    added = closure(project["optional-dependencies"][given.extra]) - base
    sizes = {name: round(size(name) / 1e6, 1) for name in sorted(added)}
    report = {"extra": given.extra, "packages": sizes, "megabytes": round(sum(sizes.values()), 1)}
    text = json.dumps(report, indent=1)
    print(text)
    if given.out:
        given.out.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
