"""One kind of child: what it is given, what it may say, and what becomes of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import photo_like
from vivant.child import Broken, Child, Limits
from vivant.errors import FieldFileError
from vivant.media.decoder import Decoder
from vivant.wire import Answer

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX only")
ME = __name__
KINDS = (np.uint8, np.bool_, np.int64, np.float16, np.float32, np.float64)


def echo(**arguments: object) -> Iterator[Answer]:
    yield Answer({"arguments": arguments})


def arrays() -> Iterator[Answer]:
    for kind in KINDS:
        yield Answer({}, {"a": np.arange(6).reshape(2, 3).astype(kind), "none": np.zeros(0, kind)})


def surroundings() -> Iterator[Answer]:
    import vivant

    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    yield Answer({"env": {n: os.environ.get(n) for n in names}, "from": vivant.__file__})


def refuse() -> Iterator[Answer]:
    class Private(FieldFileError):
        """Of a kind that the parent does not know."""

    raise Private("It is torn; make it again.")
    yield


def address_space() -> Iterator[Answer]:
    import resource

    yield Answer({"limits": resource.getrlimit(resource.RLIMIT_AS)})


def say(text: str) -> Iterator[Answer]:
    """What a hijacked child may put on the line, and then wait."""
    for number in range(3, 64):
        try:
            os.write(number, text.encode("latin-1"))
        except OSError:
            continue
    time.sleep(30)
    yield Answer()


def wait(path: str) -> Iterator[Answer]:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)
    yield Answer()


def one(function: str, **arguments: object) -> Answer:
    with Child(Limits(seconds=20, memory_mib=4096)) as child:
        (answer,) = child.ask(f"{ME}:{function}", **arguments)
        return answer


def test_what_is_said_arrives() -> None:
    said = {"path": "\udcff.png", "number": 1.5, "list": [1, None, "é"]}
    assert one("echo", **said).facts == {"arguments": said}
    with Child() as child:
        for kind, answer in zip(KINDS, child.ask(f"{ME}:arrays"), strict=True):
            assert answer.arrays["a"].dtype == kind
            np.testing.assert_array_equal(
                answer.arrays["a"],
                np.arange(6).reshape(2, 3) != 0 if kind is np.bool_ else np.arange(6).reshape(2, 3),
            )
            assert answer.arrays["none"].shape == (0,)


def test_no_clock_runs_while_an_answer_is_used() -> None:
    """What takes frames one by one may need longer for each than a child may take to make it."""

    def clocks() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if isinstance(t, threading.Timer)]

    before = clocks()
    with Child() as child:
        for _ in child.ask(f"{ME}:arrays"):
            for clock in set(clocks()) - set(before):
                clock.join(10)
                assert not clock.is_alive()


def test_errors_keep_their_kind() -> None:
    with Child() as child, pytest.raises(FieldFileError, match="make it again"):
        list(child.ask(f"{ME}:refuse"))


def test_the_environment_is_the_childs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    before = dict(os.environ)
    found = one("surroundings").facts["env"]
    assert found == {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    assert dict(os.environ) == before


def test_a_module_in_the_working_folder_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "numpy", "vivant"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stranger')")
    monkeypatch.chdir(tmp_path)
    assert not one("surroundings").facts["from"].startswith(str(tmp_path))


NONSENSE = {
    "no JSON": "hello\n",
    "no object": "[1, 2]\n",
    "no list of arrays": '{"facts": {}}\n',
    "deep": "[" * 100_000 + "\n",
    "an object array": '{"facts": {}, "arrays": [["a", "|O", [1]]]}\nxxxxxxxx',
    "a negative side": '{"facts": {}, "arrays": [["a", "|u1", [-1, -8]]]}\nxxxxxxxx',
    "a side of true": '{"facts": {}, "arrays": [["a", "|u1", [true]]]}\nx',
    "too large": '{"facts": {}, "arrays": [["a", "<f8", [99999, 99999]]]}\n',
    "no facts": '{"arrays": []}\n',
    "facts of text": '{"facts": "x", "arrays": []}\n',
}


@posix
@pytest.mark.parametrize("text", NONSENSE.values(), ids=NONSENSE.keys())
def test_a_hijacked_child_is_ended(text: str) -> None:
    clock = time.monotonic()
    with Child(Limits(seconds=20, memory_mib=4096)) as child:
        with pytest.raises(Broken, match="crashed its process"):
            list(child.ask(f"{ME}:say", text=text))
        (answer,) = child.ask(f"{ME}:echo", a=1)  # the next question has a new process
        assert answer.facts == {"arguments": {"a": 1}}
    assert time.monotonic() - clock < 15


@posix
def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from vivant.child import Child\n"
        "list(Child().ask('test_child:wait', path=sys.argv[2]))"
    )
    words = [sys.executable, "-c", code, str(Path(__file__).parent), str(told)]
    parent = subprocess.Popen(words)
    while not (told.exists() and told.read_text()):
        assert parent.poll() is None, "the parent ended before its child began"
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    child, late = int(told.read_text()), time.monotonic() + 10
    while time.monotonic() < late:
        try:
            os.kill(child, 0)
            if Path(f"/proc/{child}/stat").read_text().split(")")[1].split()[0] == "Z":
                return  # ended; whoever adopted it has not looked yet
        except (ProcessLookupError, FileNotFoundError):
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its parent")


DECODE = (
    "import sys; from pathlib import Path; from vivant.media.decoder import Decoder\n"
    "with Decoder() as d: size = d.picture(Path(sys.argv[1])).size\n"
    "Path(sys.argv[2]).write_text(repr(size))"
)


@posix
@pytest.mark.parametrize(
    "shell",
    [
        pytest.param("ulimit -v 4000000; exec {}", id="a lower hard limit"),
        pytest.param("exec env -i LANG=C {}", id="LANG=C, no HOME, no PATH"),
        pytest.param("exec env -i LC_ALL=POSIX {} <&- >&- 2>&-", id="no console"),
    ],
)
def test_poor_surroundings(shell: str, tmp_path: Path) -> None:
    from PIL import Image

    picture, told = tmp_path / "Bäume.png", tmp_path / "told"
    Image.fromarray(photo_like(64, 48)).save(picture)
    (tmp_path / "run.py").write_text(f"import sys; sys.path = {sys.path!r}\n{DECODE}")
    words = f"{sys.executable} {tmp_path / 'run.py'} {picture} {told}"
    subprocess.run(["sh", "-c", shell.format(words)], check=False)
    assert told.read_text() == "(64, 48)"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_lower_limit_stays() -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    code = (
        "import json, resource, sys; sys.path = json.loads(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 4 << 30))\n"
        "from vivant.child import Child, Limits\n"
        "with Child(Limits(memory_mib=8192)) as child:\n"
        "    print([a.facts['limits'] for a in child.ask('test_child:address_space')])"
    )
    words = [sys.executable, "-c", code, json.dumps([*sys.path, str(Path(__file__).parent)])]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[3 << 30, 3 << 30]]
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_a_decoder_checks_what_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vivant.errors import MediaError

    monkeypatch.setattr("vivant.media.decoder.SIDE", ME)
    with Decoder() as decoder:
        for call in (decoder.picture, decoder.mask, decoder.info):
            with pytest.raises(MediaError, match=r"a\.png cannot be decoded"):
                call(tmp_path / "a.png")


def picture(path: str) -> Iterator[Answer]:
    yield Answer({}, {"pixels": np.zeros((4, 4, 3), np.float32)})


def mask(path: str) -> Iterator[Answer]:
    yield Answer({}, {"values": np.zeros((0, 4), np.uint8)})


def info(path: str) -> Iterator[Answer]:
    yield Answer({"fps": float("nan"), "width": 1, "height": 1, "count": 1})
