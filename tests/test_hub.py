"""Checkpoints are found on this machine before the hub is asked; failures name the way out."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from types import ModuleType

import pytest

from vivant.adapters.hub import NEEDED, folder_of
from vivant.errors import BundleError


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert folder_of(str(tmp_path)) == tmp_path.resolve()
    with pytest.raises(BundleError, match="no id of the hub"):
        folder_of(str(tmp_path / "none" / "such"))


def test_what_was_fetched_before_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    place = tmp_path / "models--owner--name"
    snapshot = place / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("abc\n")
    (snapshot / "model_index.json").write_text("{}")
    assert folder_of("owner/name") == snapshot


def test_no_network_is_said_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    hub = ModuleType("huggingface_hub")

    def snapshot_download(name: str, allow_patterns: list[str]) -> str:
        assert allow_patterns == list(NEEDED)
        assert not any("bin" in pattern or "py" in pattern for pattern in allow_patterns)
        raise OSError("Network is unreachable")

    hub.snapshot_download = snapshot_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
    with pytest.raises(
        BundleError, match=r"OSError.*hf download owner/name.*models add NAME FOLDER"
    ):
        folder_of("owner/name")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BundleError, match="not installed"):
        folder_of("owner/name")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("GatedRepoError", "RepositoryNotFoundError"), "licence has to be accepted"),
        (("RepositoryNotFoundError",), "has none of this name"),
        (("LocalEntryNotFoundError",), "cannot be reached"),
    ],
)
def test_what_the_hub_says_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, ...], said: str
) -> None:
    kind: type[Exception] = Exception
    for name in reversed(kinds):
        kind = type(name, (kind,), {})
    fails(monkeypatch, kind("https://hub/api ... 40 lines"), tmp_path)
    with pytest.raises(BundleError, match=said) as error:
        folder_of("owner/name")
    assert "\n" not in str(error.value)


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    with pytest.raises(BundleError, match="no room is left on the disk"):
        folder_of("owner/name")


def fails(monkeypatch: pytest.MonkeyPatch, error: Exception, cache: Path) -> None:
    hub = ModuleType("huggingface_hub")

    def snapshot_download(name: str, allow_patterns: list[str]) -> str:
        raise error

    hub.snapshot_download = snapshot_download  # type: ignore[attr-defined]
    monkeypatch.setenv("HF_HUB_CACHE", str(cache))
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)
