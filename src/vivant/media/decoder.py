"""Strangers' media, decoded in a disposable child process.

Decoders are large and meet hostile files; here one may crash, hang or eat memory and takes only
itself down. Parent and child speak in JSON lines and raw bytes: nothing that a hijacked child
sends is ever executed or unpickled.

    with Decoder() as decoder:
        picture = decoder.picture(Path("photo.jpg"))
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from vivant.child import Limits, one_thread_each
from vivant.clip import Frame, Picture, VideoInfo
from vivant.errors import MediaError, UsageError, VivantError

LIMITS = Limits(seconds=60.0, memory_mib=6144)
"""For one picture, or one frame of a video."""
MAX_HEADER = 1 << 16
MAX_VALUES = 4 * 10**8


class Decoder:
    """A child process that decodes; it starts at once and imports while the caller goes on.

    Where it dies, the request under way raises MediaError and the next one starts a new child.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._late = False
        self._clock: threading.Timer | None = None
        self._child: subprocess.Popen[bytes] | None = self._started()

    def __enter__(self) -> Decoder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def picture(self, path: Path, *, allow_tiff: bool = False) -> Picture:
        """As `vivant.media.read.read_picture`, with its errors."""
        with self._asked("picture", path, allow_tiff=allow_tiff) as stream:
            header = self._header(stream, path)
            pixels = self._array(stream, header["shape"], path)
            alpha = self._array(stream, header["shape"][:2], path) if header["alpha"] else None
            notes = tuple(str(note) for note in header["notes"])
            return Picture(pixels, alpha, path.name, str(header["sha256"]), notes)

    def mask(self, path: Path) -> NDArray[np.uint8]:
        """As `vivant.media.read.read_mask`, with its errors."""
        with self._asked("mask", path) as stream:
            return self._array(stream, self._header(stream, path)["shape"], path)

    def info(self, path: Path) -> VideoInfo:
        """As `vivant.media.video.probe`, with its errors."""
        with self._asked("info", path) as stream:
            facts = self._header(stream, path)
            fps = float(facts["fps"])
            if not 0 < fps < 1e6:
                raise _Broken(path, self._late, self._limits)
            width, height, count = (int(facts[name]) for name in ("width", "height", "count"))
            return VideoInfo(width, height, fps, count)

    def frames(self, path: Path) -> Iterator[Frame]:
        """As `vivant.media.video.iter_video`, with its errors; the limits hold for each frame."""
        with self._asked("frames", path) as stream:
            while "end" not in (header := self._header(stream, path)):
                yield self._array(stream, header["shape"], path)
                self._restart_clock()

    def close(self) -> None:
        """End the child."""
        if self._child is not None:
            self._child.kill()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
            self._child.wait()
            self._child = None

    def _started(self) -> subprocess.Popen[bytes]:
        code = f"from vivant.media.decoder_child import serve; serve({self._limits.memory_mib})"
        with one_thread_each():
            return subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )

    @contextmanager
    def _asked(self, what: str, path: Path, **options: Any) -> Iterator[IO[bytes]]:
        if self._child is None:
            self._child = self._started()
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None
        assert stdout is not None
        self._restart_clock()
        whole = False
        try:
            line = json.dumps({"what": what, "path": str(path), **options})
            stdin.write(line.encode("utf-8", "surrogateescape") + b"\n")
            stdin.flush()
            yield stdout
            whole = True
        except VivantError as error:
            whole = not isinstance(error, _Broken)
            raise
        except (OSError, KeyError, TypeError, ValueError, IndexError) as error:
            raise _Broken(path, self._late, self._limits) from error
        finally:
            if self._clock is not None:
                self._clock.cancel()
            if not whole:
                self.close()

    def _restart_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
        self._late = False
        self._clock = threading.Timer(self._limits.seconds, self._too_late)
        self._clock.daemon = True
        self._clock.start()

    def _too_late(self) -> None:
        self._late = True
        if self._child is not None:
            self._child.kill()

    def _header(self, stream: IO[bytes], path: Path) -> dict[str, Any]:
        line = stream.readline(MAX_HEADER)
        if not line.endswith(b"\n"):
            raise _Broken(path, self._late, self._limits)
        header: dict[str, Any] = json.loads(line)
        if "error" in header:
            kind = UsageError if header["error"] == "usage" else MediaError
            raise kind(str(header["text"])[:1000])
        return header

    def _array(self, stream: IO[bytes], shape: list[int], path: Path) -> NDArray[np.uint8]:
        count = math.prod(int(side) for side in shape)
        if not 0 < count <= MAX_VALUES or min(shape) < 1:
            raise _Broken(path, self._late, self._limits)
        out = np.empty(count, np.uint8)
        view, filled = memoryview(out.data), 0
        while filled < count:
            got = stream.readinto(view[filled:])  # type: ignore[attr-defined] # a buffered reader
            if not got:
                raise _Broken(path, self._late, self._limits)
            filled += got
        return out.reshape(shape)


class _Broken(MediaError):
    """The child died or spoke nonsense."""

    def __init__(self, path: Path, late: bool, limits: Limits) -> None:
        why = f"took longer than {limits.seconds:g} s" if late else "crashed the decoder"
        super().__init__(f"{path} cannot be decoded (it {why}).")


def decoded_frames(path: Path) -> Iterator[Frame]:
    """Frames ``[H, W, 3]`` of a video file or folder, decoded in a child of their own."""
    with Decoder() as decoder:
        yield from decoder.frames(path)
