"""Walls: strangers' files are decoded in children only, and nothing leaves the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import EXAMPLES

SOURCES = EXAMPLES.parent / "src" / "vivant"
DECODES = re.compile(r"\b(av\.open|Image\.open|cv2\.(imread|imdecode\w*|VideoCapture))\(")
MAY_DECODE = {
    "media/read.py", "media/raster.py", "media/mask_samples.py", "media/video.py", "media/decoder_child.py",
    "media/animation.py",  # what they call
    "media/write.py",  # opens containers to write them
    "data/teacher_files.py",  # `read_taught`, of its own labels
    "data/shards.py",  # `read_sample`, the child's side of `read_samples`
    "provenance/credentials.py",  # the header, for the media type
    "training/scene/lettered.py",  # what it has compressed itself
}  # fmt: skip
UNPICKLES = re.compile(r"\b(multiprocessing|concurrent\.futures\.process|ProcessPoolExecutor)\b")


def lines_with(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for line in path.read_text("utf-8").splitlines():
            if pattern.search(line):
                found.setdefault(path.relative_to(SOURCES).as_posix(), []).append(line.strip())
    return found


def test_decoders_are_called_where_children_read() -> None:
    found = lines_with(DECODES)
    assert {"media/raster.py", "media/video.py"} <= set(found)  # the pattern finds them
    assert set(found) - MAY_DECODE == set()


def test_no_child_of_another_kind() -> None:
    assert lines_with(UNPICKLES) == {}


def test_folders_are_listed_without_hidden_files() -> None:
    found = lines_with(re.compile(r"\.(r?glob|iterdir)\(|os\.(listdir|scandir|walk)\("))
    # threads, and what of a cut-off upload is hidden
    assert set(found) == {"files.py", "media/scheduling.py", "service/uploads.py"}


def test_onnx_runtime_comes_silenced() -> None:
    found = lines_with(re.compile(r"^\s*(import|from) onnxruntime\b"))
    assert list(found) == ["inference.py"]


RUN = """
import sys, time
from pathlib import Path
from vivant.inference import onnxruntime
graph = sys.argv[2]
onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
from vivant.media.decoder import Decoder
with Decoder() as decoder:
    decoder.picture(Path(sys.argv[1]))
time.sleep(1)  # what is sent by a thread
"""
ANIMATE = """
import sys
sys.argv = ["vivant", "animate", sys.argv[1], "-o", "a.mp4", "--size", "96x64",
            "--seconds", "0.1", "--consent"]
from vivant.cli.main import main
main()
"""


def traced(code: str, folder: Path) -> tuple[list[str], str]:
    """Files that appear in an empty home, and the calls that reach for the network."""
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "ORT_", "VIVANT_"))}
    env |= {"HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    env |= {"VIVANT_HOME": str(folder / "own"), "PYTHONPATH": str(SOURCES.parent)}
    words = [sys.executable, "-c", code, str(EXAMPLES / "flower.jpg")]
    words.append(str(SOURCES / "provenance" / "yunet.onnx"))
    calls = folder / "calls"
    if shutil.which("strace"):
        words = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(calls), *words]
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    files = [
        p.relative_to(folder).as_posix() for n in ("home", "tmp") for p in (folder / n).rglob("*")
    ]
    text = calls.read_text() if calls.exists() else ""
    return files, "\n".join(
        line for line in text.splitlines() if re.search(r"AF_INET|/nscd/", line)
    )


@pytest.mark.skipif(os.name != "posix", reason="HOME and strace")
@pytest.mark.parametrize("code", [RUN, ANIMATE], ids=["library", "command line"])
def test_nothing_leaves_the_machine_or_settles_in_the_home(code: str, tmp_path: Path) -> None:
    assert traced(code, tmp_path) == ([], "")


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_the_watch_sees_what_it_looks_for(tmp_path: Path) -> None:
    code = "import socket, pathlib\npathlib.Path.home().joinpath('id').touch()\n"
    code += "try: socket.create_connection(('127.0.0.1', 9), 1)\nexcept OSError: pass"
    files, calls = traced(code, tmp_path)
    assert files == ["home/id"]
    assert "127.0.0.1" in calls


def test_the_switch_is_thrown_before_the_import() -> None:
    code = (
        "import sys, os\n"
        "class Watch:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'onnxruntime': print(os.environ.get('ORT_DISABLE_TELEMETRY'))\n"
        "sys.meta_path.insert(0, Watch())\n"
        "import vivant.inference"
    )
    env = {k: v for k, v in os.environ.items() if not k.startswith("ORT_")}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
