"""Work in disposable child processes: what crashes, hangs or eats memory takes only itself down.

Decoders are large and meet hostile files; here, and only here, they run. A child is asked by the
name of a function, with arguments that JSON can say, and answers in JSON lines and raw arrays
(`vivant.wire`): nothing that a hijacked child sends is ever executed or unpickled.

    with Child(Limits(seconds=60)) as child:
        for answer in child.ask("vivant.media.decoder_child:frames", path="clip.mp4"):
            ...
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from vivant import errors
from vivant.wire import Answer, Arrays, WireError, receive, send

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)
"""There is a child for each core already, and OpenBLAS's threads were seen to spin for ever."""
START = "import sys; sys.path[:] = sys.argv[3:]; from vivant.child_main import serve; serve()"


@dataclass(frozen=True)
class Limits:
    """What one child may use: ``seconds`` for one answer and ``memory_mib`` of address space
    (POSIX)."""

    seconds: float = 600.0
    memory_mib: int = 12_288


class Broken(errors.VivantError):
    """A child died, was too slow or spoke nonsense; ``why`` goes on from "it ..."."""

    def __init__(self, why: str) -> None:
        super().__init__(f"A child process was ended: it {why}.")
        self.why = why


class Child:
    """A process that answers questions; it starts at once and imports while the caller goes on.

    ``imports`` are modules that it loads before the first question, ``called`` what it is for
    people. Where it dies, the question under way raises Broken and the next one starts a new
    process. A child ends with its parent, however that ends.
    """

    def __init__(
        self,
        limits: Limits = Limits(),
        imports: tuple[str, ...] = (),
        called: str = "its process",
    ) -> None:
        self._limits = limits
        self._imports = imports
        self._called = called
        self._late = False
        self._clock: threading.Timer | None = None
        self._process: subprocess.Popen[bytes] | None = self._started()

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self, function: str, arrays: Arrays | None = None, **arguments: Any
    ) -> Iterator[Answer]:
        """What ``function`` ("module:name", a generator of `Answer`) answers to ``arguments``
        of things that JSON can say, and ``arrays`` by their names.

        Raises the `vivant.errors` that it raises, and Broken for anything else that happens to
        it; the limit of time holds for each answer. A question left half-way ends the process.
        """
        with self._asked(function, arguments, arrays) as stream:
            while "end" not in (found := receive(stream))[0]:
                head, answered = found
                if "error" in head:
                    raise self._error(str(head["error"]), str(head.get("text"))[:1000])
                self._stop_clock()  # what is done with an answer may take its time
                yield Answer(dict(head["facts"]), answered)
                self._restart_clock()

    def close(self) -> None:
        """End the process, kindly where it is idle."""
        self._end(kindly=True)

    def kill(self) -> None:
        """End the process at once; safe to call from another thread."""
        process = self._process
        if process is not None:
            process.kill()

    def _end(self, kindly: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if kindly:
            process.terminate()
        else:
            process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)
        try:
            process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        # isolated, but with this process's path: the working folder may hold a stranger's modules
        options = ["-I", *(["-X", "utf8"] if sys.flags.utf8_mode else [])]
        path = [os.path.abspath(place) for place in sys.path]  # noqa: PTH100 - "" is the folder
        words = [str(self._limits.memory_mib), ",".join(self._imports), *path]
        return subprocess.Popen(
            [sys.executable, *options, "-c", START, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
        )

    @contextmanager
    def _asked(
        self, function: str, arguments: dict[str, Any], arrays: Arrays | None
    ) -> Iterator[IO[bytes]]:
        if self._process is None:
            self._process = self._started()
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self._restart_clock()
        whole = False
        try:
            send(stdin, {"function": function, "arguments": arguments}, arrays)
            yield stdout
            whole = True
        except errors.VivantError as error:
            whole = not isinstance(error, Broken)
            raise
        except (WireError, OSError, KeyError, TypeError, ValueError) as error:
            raise Broken(self._why()) from error
        finally:
            self._stop_clock()
            if not whole:
                self._end(kindly=False)

    def _error(self, kind: str, text: str) -> errors.VivantError:
        if kind == "MemoryError":
            return Broken(f"needs more than {self._limits.memory_mib} MiB of memory")
        known = getattr(errors, kind, None)
        if isinstance(known, type) and issubclass(known, errors.VivantError):
            return known(text)
        return Broken(f"failed ({kind}: {text})")

    def _why(self) -> str:
        seconds = self._limits.seconds
        return f"took longer than {seconds:g} s" if self._late else f"crashed {self._called}"

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()

    def _restart_clock(self) -> None:
        self._stop_clock()
        self._late = False
        self._clock = threading.Timer(self._limits.seconds, self._too_late)
        self._clock.daemon = True
        self._clock.start()

    def _too_late(self) -> None:
        self._late = True
        self.kill()


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:  # what was still to be written has nowhere to go
        return
