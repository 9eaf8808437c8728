"""``vivant.connect``: clips that a service makes, asked for as those of `vivant.animate` are."""

from __future__ import annotations

import base64
import json
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from vivant.asset import Asset, named_in
from vivant.client.http import Door, NoAnswer
from vivant.clip import Frame, VideoSpec
from vivant.errors import Cancelled, UsageError, VivantError
from vivant.facade import Image, Value, request_of, taken_in
from vivant.files import check_not_input, check_output, publish, sha256_of
from vivant.job import Done
from vivant.media.assets import FileAssets
from vivant.media.formats import format_for
from vivant.preview import shown
from vivant.provenance.release import Published
from vivant.request import Hooks, Plan, Request

FORMATS = ("mp4", "webp", "gif")
"""What a service writes."""
ASK_SECONDS = 0.2
DROPS = 5
"""Times in a row that listening may break off without news."""


@dataclass(frozen=True)
class RemoteJob:
    """A job of a service: ``id``, and what can be done with it."""

    door: Door
    id: str
    format: str

    def status(self) -> dict[str, Any]:
        """``state`` (queued, running, succeeded, failed, cancelled), ``created``, ``updated`` (ms
        since 1970), ``result``, ``error``. Raises UsageError where the job was deleted."""
        found: dict[str, Any] = self.door.json("GET", f"/v1/jobs/{self.id}")
        return found

    def cancel(self) -> None:
        """Stop it; one that has ended stays as it is."""
        self.door.json("POST", f"/v1/jobs/{self.id}/cancel")

    def delete(self) -> None:
        """Forget it and its clip. Raises UsageError where it has not ended."""
        self.door.json("DELETE", f"/v1/jobs/{self.id}")

    def wait(self, hooks: Hooks = Hooks()) -> dict[str, Any]:  # noqa: B008 - frozen
        """What became of it (`status`), with progress as it comes.

        Raises Cancelled where it was cancelled, by the hooks too; VivantError with the service's
        sentence where it failed, NoAnswer where the service stays away.
        """
        with _cancelled_by(hooks, self):
            for stage, share in self._progress():
                hooks.progress(stage, share)
        found = self.status()
        if found["state"] == "cancelled":
            raise Cancelled("The work was cancelled; nothing was left behind.")
        if found["state"] != "succeeded":
            raise VivantError(str(found["error"]))
        return found

    def download(self, path: Path, overwrite: bool = False) -> Published:
        """Write its clip, checked against its hash, whole or not at all. Raises UsageError where
        ``path`` exists, or there is no clip."""
        expected = (self.status()["result"] or {}).get("sha256")
        with publish(path, overwrite) as temporary:
            self.door.download(f"/v1/jobs/{self.id}/result", temporary)
            found = sha256_of(temporary)
            if found != expected:
                raise VivantError(f"The clip of job {self.id} arrived damaged; try again.")
        return Published(path, found, None, {})

    def _progress(self) -> Iterator[tuple[str, float]]:
        """Stage and share, until it ends; a line that breaks is taken up after its last event."""
        last, drops = -1, 0
        while True:
            try:
                for number, event, data in self._events(last):
                    if event == "ended":
                        return
                    last, drops = number, 0
                    yield str(data["stage"]), float(data["share"])
            except NoAnswer:
                drops += 1
                if drops > DROPS:
                    raise
            if self.status()["state"] not in ("queued", "running"):
                return

    def _events(self, last: int) -> Iterator[tuple[int, str, dict[str, Any]]]:
        path = f"/v1/jobs/{self.id}/events"
        said: dict[str, str] = {}
        with self.door.lines(path, {"Last-Event-ID": str(last)}) as lines:
            for line in lines:
                name, _, value = line.partition(": ")
                if line and name:
                    said[name] = value
                elif "data" in said:
                    yield int(said.get("id", last)), said.get("event", ""), json.loads(said["data"])
                    said = {}


@contextmanager
def _cancelled_by(hooks: Hooks, job: RemoteJob) -> Iterator[None]:
    """While the body runs, the job is cancelled as soon as the hooks say so."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(ASK_SECONDS):
            if hooks.cancelled():
                with suppress(VivantError):  # the service is away: asked again
                    job.cancel()
                    return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@dataclass(frozen=True)
class RemoteAnimation:
    """A clip that a service is asked for but has not made yet: `save` it, go through its `frames`,
    or `start` it and look again later. ``inputs`` are the files that were sent."""

    request: Request
    door: Door
    consent: bool = False
    inputs: tuple[Path, ...] = ()
    _started: dict[str, RemoteJob] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def plan(self) -> Plan:
        """What will be made. Raises UsageError for what the service's model cannot honour."""
        facts = self.door.json("POST", "/v1/preview?side=0", self.request.to_data())
        return _plan(facts)

    def start(self, format: str = "mp4") -> RemoteJob:  # noqa: A002 - the word users know
        """The job that makes the clip in a format (mp4, webp, gif); it is durable when this
        returns, and there is one for each format."""
        if format not in FORMATS:
            raise UsageError(f"A service writes {', '.join(FORMATS)}, not {format}.")
        if format not in self._started:
            words = {"format": format, "consent": str(self.consent).lower()}
            job = self.door.json(
                "POST",
                f"/v1/jobs?{urlencode(words)}",
                self.request.to_data(),
                {"Idempotency-Key": uuid.uuid4().hex},
            )
            self._started[format] = RemoteJob(self.door, str(job["id"]), format)
        return self._started[format]

    def save(
        self,
        path: str | Path,
        *,
        format: str | None = None,  # noqa: A002 - the word users know
        lossless: bool = False,
        watermark: bool = True,
        overwrite: bool = False,
        hooks: Hooks = Hooks(),  # noqa: B008 - frozen
    ) -> Done:
        """Wait for the clip and write it; the ending of ``path`` names the format.

        Raises UsageError where the output exists and ``overwrite`` is false, and for what the
        service does not do; else what `RemoteJob.wait` does.
        """
        out = Path(path)
        chosen = format_for(out, format, lossless).name
        if lossless or not watermark:
            what = "lossless masters" if lossless else "clips without a watermark"
            raise UsageError(f"The service makes no {what}; make them with vivant.animate here.")
        check_not_input(out, self.inputs)
        check_output(out, overwrite)
        job = self.start(chosen)
        found = job.wait(hooks)["result"]
        return Done(_plan(found), job.download(out, overwrite), {})

    def frames(self) -> Iterator[Frame]:
        """The frames ``[H, W, 3]`` uint8 sRGB, as the service's clip (MP4, marked) holds them."""
        job = self.start()
        job.wait()
        with tempfile.TemporaryDirectory(prefix="vivant-") as folder, FileAssets() as assets:
            path = Path(folder) / "clip.mp4"
            job.download(path)
            yield from assets.frames(assets.add(path, "clip"))

    def preview(self, side: int = 256) -> bytes:
        """An animated WebP of few and small frames (``side`` from 16 to 512), which the service
        makes at once."""
        words = urlencode({"side": side, "consent": str(self.consent).lower()})
        found = self.door.json("POST", f"/v1/preview?{words}", self.request.to_data())
        return base64.b64decode(str(found["preview"]).partition(",")[2])

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        return shown(self.request, self.plan, self.preview())

    def with_seed(self, seed: int) -> RemoteAnimation:
        """Another plausible future of the same picture."""
        return replace(self, request=self.request.with_seed(seed), _started={})


def _plan(result: dict[str, Any]) -> Plan:
    width, height = result["size"]
    video = VideoSpec(width, height, result["fps"], result["frames"])
    fitted = result.get("fitted", (width, height))
    return Plan(video, (fitted[0], fitted[1]), tuple(result["notes"]))


@dataclass(frozen=True)
class Service:
    """A service that was reached: `animate` with it as with `vivant.animate`."""

    door: Door

    def animate(
        self,
        picture: Image,
        *,
        seconds: float = 4.0,
        fps: float | None = None,
        size: str | int | tuple[int, int] | None = None,
        seed: int = 0,
        model: str = "builtin",
        last: Image | None = None,
        consent: bool = False,
        keyframes: Iterable[tuple[Image, float]] = (),
        **controls: Value | Iterable[Value],
    ) -> RemoteAnimation:
        """A clip of a picture, which is sent to the service; the words are those of
        `vivant.animate`. Raises UsageError for what is not understood, here or there, and for
        what the service's model cannot honour."""
        with FileAssets() as assets:
            request = request_of(
                picture, assets, controls, seconds=seconds, fps=fps, size=size, seed=seed,
                model=model, last=last, keyframes=keyframes,
            )  # fmt: skip
            for sha256, kind in named_in(request.to_data()).items():
                self._sent(Asset(sha256, kind), assets)
            inputs = assets.paths()
        clip = RemoteAnimation(request, self.door, consent, inputs)
        _ = clip.plan  # refuse now, not when it is saved
        return clip

    def job(self, job_id: str, format: str = "mp4") -> RemoteJob:  # noqa: A002 - as above
        """A job that was started before. Raises UsageError where there is none."""
        job = RemoteJob(self.door, quote(job_id, safe=""), format)
        job.status()
        return job

    def scene(self, picture: Image) -> dict[str, Any]:
        """What a picture shows, as `vivant see --json` says it. Raises UsageError for what is
        none."""
        with FileAssets() as assets:
            asset = taken_in(picture, assets)
            return dict(self.door.json("POST", "/v1/scene", self._sent(asset, assets)))

    def _sent(self, asset: Asset, assets: FileAssets) -> Any:
        path = assets.path(asset)
        assert path is not None
        return self.door.upload(f"/v1/assets?kind={asset.kind}", path)

    def models(self) -> list[str]:
        """What may be named as ``model``."""
        return [str(name) for name in self.door.json("GET", "/v1/models")]


def connect(url: str, key: str | None = None) -> Service:
    """The service at ``url``, such as "http://127.0.0.1:8422", with an API ``key`` where it wants
    one. Raises UsageError for what is no address, VivantError where no service answers."""
    door = Door(url, key or "")
    replace(door, patience=0).json("GET", "/health")
    return Service(door)
