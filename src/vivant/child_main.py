"""The child's side of `vivant.child`: questions in, answers out, until the parent is gone."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from queue import SimpleQueue
from typing import IO, Any

from vivant.errors import VivantError
from vivant.wire import Answer, WireError, receive, send

Question = dict[str, Any]


def serve() -> None:
    """Answer questions on standard input until it ends. The command line holds the limit of
    memory in MiB and the modules to import first."""
    memory_mib, imports = int(sys.argv[1]), sys.argv[2]
    questions = _Questions(os.fdopen(os.dup(0), "rb"))
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(2, 1)  # what a library prints must not reach the answers
    for name in filter(None, imports.split(",")):
        import_module(name)
    limit_memory(memory_mib)
    for question in questions:
        _answer(out, question)
        questions.done()


class _Questions:
    """What the parent asks, heard by a thread, so that a busy child notices that it has gone."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._waiting: SimpleQueue[Question | None] = SimpleQueue()
        self._busy = threading.Event()
        threading.Thread(target=self._listen, args=(stream,), daemon=True).start()

    def __iter__(self) -> Iterator[Question]:
        while (question := self._waiting.get()) is not None:
            yield question

    def done(self) -> None:
        """The question is answered."""
        self._busy.clear()

    def _listen(self, stream: IO[bytes]) -> None:
        try:
            while True:
                question, arrays = receive(stream)
                question["arguments"] = {**question["arguments"], **arrays}
                self._busy.set()
                self._waiting.put(question)
        except WireError:
            if self._busy.is_set():
                os._exit(1)  # nobody waits for the answer
            self._waiting.put(None)


def _answer(out: IO[bytes], question: Question) -> None:
    try:
        for answer in _function(str(question["function"]))(**question["arguments"]):
            send(out, {"facts": answer.facts}, answer.arrays)
        send(out, {"end": True})
    except VivantError as error:
        send(out, {"error": _known(type(error)), "text": str(error)})
    except Exception as error:  # a decoder may raise anything
        send(out, {"error": type(error).__name__, "text": str(error)})


def _function(name: str) -> Callable[..., Iterator[Answer]]:
    module, _, function = name.partition(":")
    found: Callable[..., Iterator[Answer]] = getattr(import_module(module), function)
    return found


def _known(kind: type[BaseException]) -> str:
    """The nearest exception that the parent knows too."""
    known = next(k for k in kind.__mro__ if k.__module__ == VivantError.__module__)
    return known.__name__


def limit_memory(mib: int) -> None:
    """Cap this process's address space, and leave no core dumps (POSIX; nothing on Windows).

    A lower limit that is set already stays.
    """
    if sys.platform == "win32":  # no such limit there
        return
    import resource

    for what, wanted in ((resource.RLIMIT_AS, mib << 20), (resource.RLIMIT_CORE, 0)):
        set_already = [x for x in resource.getrlimit(what) if x != resource.RLIM_INFINITY]
        most = min([wanted, *set_already])
        try:
            resource.setrlimit(what, (most, most))
        except (OSError, ValueError):  # macOS may refuse; without a wall is better than not at all
            continue
