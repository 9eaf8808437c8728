from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vivant.errors import UsageError, VivantError
from vivant.files import (
    check_apart,
    check_not_input,
    check_output,
    claim_folder,
    listed,
    make_folder,
    publish,
    publish_folder,
    sweep,
)

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX locks and links")


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


def test_a_listing_skips_what_is_half_written(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.png", "deep/a.png", "._b.png"):
        (tmp_path / name).touch()
    with publish(tmp_path / "c.png") as temporary, publish_folder(tmp_path / "d", False) as folder:
        temporary.touch()
        (folder / "a.png").touch()
        assert [p.name for p in listed(folder)] == ["a.png"]  # its own hidden name is no matter
        assert listed(tmp_path, "*.png") == [tmp_path / "b.png"]
        assert listed(tmp_path, "*.png", deep=True) == [tmp_path / "b.png", tmp_path / "deep/a.png"]
        (folder / "a.png").rename(folder / "c.png")
    assert [p.name for p in listed(tmp_path)] == ["b.png", "c.png", "d", "deep"]


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


# --- who is alive --------------------------------------------------------------------------


@posix
def test_a_live_file_stays_whatever_its_process_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process in a PID namespace of its own has a number that means nothing here."""
    monkeypatch.setattr(os, "getpid", lambda: 2**22 + 7)
    with publish(tmp_path / "a.mp4") as temporary, publish_folder(tmp_path / "b", False) as folder:
        temporary.write_text("under way")
        (folder / "1.png").touch()
        beside = temporary.with_name(f".plain{temporary.name}")
        beside.touch()
        sweep(tmp_path)
        assert temporary.exists()
        assert beside.exists()
        assert (folder / "1.png").exists()
        beside.unlink()
    assert {path.name for path in tmp_path.iterdir()} == {"a.mp4", "b"}


KILLED = """
import os, signal, sys
from pathlib import Path
from vivant.files import publish, publish_folder
with publish(Path(sys.argv[1]) / "a.mp4") as a, publish_folder(Path(sys.argv[1]) / "b", True) as b:
    a.touch()
    a.with_name(f".plain{a.name}").touch()
    (b / "1.png").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert len(list(tmp_path.iterdir())) == 5
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


@posix
def test_files_of_other_systems_stay_for_a_day(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    for path in tmp_path.iterdir():
        machine = path.name.rsplit("-", 3 if path.name.endswith("-lock") else 2)[1]
        path.rename(path.with_name(path.name.replace(machine, "000000")))
    count = len(list(tmp_path.iterdir()))
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == count
    long_ago = time.time() - 90_000
    for path in tmp_path.iterdir():
        os.utime(path, (long_ago, long_ago), follow_symlinks=False)
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- one winner ----------------------------------------------------------------------------


def test_of_two_runs_on_one_file_the_first_wins(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with pytest.raises(UsageError, match="--overwrite"), publish(path, overwrite=False) as second:
        second.write_text("second")
        with publish(path, overwrite=False) as first:
            first.write_text("first")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(UsageError, match="--overwrite"), publish(path, overwrite=False):
        raise AssertionError("no work is begun")


def test_a_file_system_without_hard_links_has_one_winner_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refused)
    test_of_two_runs_on_one_file_the_first_wins(tmp_path)


def test_of_two_runs_on_one_folder_the_first_wins(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    with pytest.raises(UsageError, match="--overwrite"), publish_folder(folder, False) as second:
        (second / "second.png").touch()
        with publish_folder(folder, False) as first:
            (first / "first.png").touch()
    assert {path.name for path in folder.iterdir()} == {"first.png", ".vivant"}
    assert list(tmp_path.iterdir()) == [folder]


def test_a_foreign_folder_that_came_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    with pytest.raises(UsageError, match="not written by vivant"), publish_folder(folder, True):
        folder.mkdir()
        (folder / "mine.jpg").touch()
    assert [path.name for path in folder.iterdir()] == ["mine.jpg"]


# --- names, links, identity ----------------------------------------------------------------


@posix
@pytest.mark.parametrize(
    "name", ["\u96ea" * 83 + ".webm", "caf\udce9.mp4", "-x.mp4", "12:30:15.mp4"]
)
def test_any_name_can_be_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    check_output(path, overwrite=False)
    with publish(path) as temporary:
        assert temporary.suffix == path.suffix
        beside = temporary.with_name(f".plain{temporary.name}")
        beside.touch()
        beside.unlink()
        temporary.write_text("whole")
    assert [os.fsencode(p.name) for p in tmp_path.iterdir()] == [os.fsencode(name)]


def test_a_name_that_no_file_system_takes_is_refused_before_any_work(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 252 + ".mp4")
    with pytest.raises(UsageError, match="256 bytes"):
        check_output(path, overwrite=True)
    with pytest.raises(UsageError, match="256 bytes"), publish(path):
        raise AssertionError("no work is begun")


@posix
def test_a_symbolic_link_is_written_through(tmp_path: Path) -> None:
    store, link = tmp_path / "store", tmp_path / "clip.mp4"
    store.mkdir()
    link.symlink_to(store / "blob")
    for text in ("new", "newer"):
        check_output(link, overwrite=True)
        with publish(link) as temporary:
            assert temporary.suffix == ".mp4"
            assert temporary.parent == store
            temporary.write_text(text)
        assert link.is_symlink()
        assert (store / "blob").read_text() == text
    with pytest.raises(UsageError, match="--overwrite"):
        check_output(link, overwrite=False)
    inner = tmp_path / "frames"
    inner.symlink_to(store / "deep")
    with publish_folder(inner, overwrite=True) as folder:
        (folder / "1.png").touch()
    assert inner.is_symlink()
    assert (store / "deep" / "1.png").exists()


@posix
def test_links_that_lead_nowhere_and_devices_are_refused(tmp_path: Path) -> None:
    round_and_round = tmp_path / "a.mp4"
    round_and_round.symlink_to(round_and_round)
    with pytest.raises(VivantError, match=r"a\.mp4"):
        check_output(round_and_round, overwrite=True)
    os.mkfifo(tmp_path / "pipe.mp4")
    with pytest.raises(UsageError, match="pipe"):
        check_output(tmp_path / "pipe.mp4", overwrite=True)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    for place, why in ((tmp_path / "file", "a file is there"), (tmp_path / "file" / "c", "Not a")):
        with pytest.raises(UsageError, match=f"cannot be made .{why}"):
            make_folder(place)


def test_a_folder_of_other_things_is_not_claimed(tmp_path: Path) -> None:
    out = tmp_path / "out"
    claim_folder(out, "*.tar")
    claim_folder(out, "*.tar")
    (out / ".hidden").touch()
    claim_folder(out, "*.tar")
    (out / "holiday.jpg").touch()
    with pytest.raises(UsageError, match=r"holiday\.jpg and nothing that this command wrote"):
        claim_folder(out, "*.tar")
    (out / "shot.tar").touch()
    claim_folder(out, "*.tar")


def test_two_outputs_never_share_a_place(tmp_path: Path) -> None:
    check_apart([tmp_path / "a.mp4", tmp_path / "a.vivant", tmp_path / "a-export"])
    with pytest.raises(UsageError, match="two outputs"):
        check_apart([tmp_path / "a.mp4", tmp_path / "x" / ".." / "a.mp4"])
    for pair in (("a", "a/b.scene"), ("a/b.scene", "a")):
        with pytest.raises(UsageError, match=r"a/b\.scene lies in the output .*a;"):
            check_apart([tmp_path / one for one in pair])


@posix
def test_an_output_that_is_an_input_is_refused_by_identity(tmp_path: Path) -> None:
    photo = tmp_path / "photo.webp"
    photo.write_text("irreplaceable")
    hard, soft = tmp_path / "hard.webp", tmp_path / "soft.webp"
    os.link(photo, hard)
    soft.symlink_to(photo)
    for output in (photo, hard, soft, tmp_path / "x" / ".." / "photo.webp"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(UsageError, match="is the input"):
            check_not_input(output, [tmp_path / "mask.png", photo])
    frame = tmp_path / "x" / "frame_00000.png"
    frame.touch()
    with pytest.raises(UsageError, match="lies in the output folder"):
        check_not_input(tmp_path / "x", [frame])
    check_not_input(tmp_path / "new.mp4", [photo])
    check_not_input(tmp_path / "x" / "other.png", [photo, frame, tmp_path / "missing.png"])
