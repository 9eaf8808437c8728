from __future__ import annotations

from pathlib import Path

import pytest

from vivant.errors import UsageError
from vivant.files import check_output, publish, publish_folder


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_nothing(tmp_path: Path, failure: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(failure), publish(path) as temporary:
        temporary.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_success_replaces_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with publish(path) as temporary:
        assert temporary.suffix == ".mp4"
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_published_whole(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    with pytest.raises(KeyboardInterrupt), publish_folder(folder, overwrite=False) as temporary:
        (temporary / "1.png").write_text("x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
    for text in ("one", "two"):
        with publish_folder(folder, overwrite=True) as temporary:
            (temporary / "1.png").write_text(text)
    assert (folder / "1.png").read_text() == "two"
    with pytest.raises(UsageError, match="--overwrite"), publish_folder(folder, overwrite=False):
        pass


def test_a_foreign_folder_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "mine.jpg").write_text("x")
    with (
        pytest.raises(UsageError, match="not written by vivant"),
        publish_folder(folder, overwrite=True),
    ):
        pass
    assert (folder / "mine.jpg").exists()


def test_outputs_are_checked_first(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        check_output(tmp_path / "no" / "a.mp4", overwrite=False)
    with pytest.raises(UsageError, match="is a folder"):
        check_output(tmp_path, overwrite=True)
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UsageError, match="--overwrite"):
        check_output(tmp_path / "a.mp4", overwrite=False)
    check_output(tmp_path / "a.mp4", overwrite=True)
