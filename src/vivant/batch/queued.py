"""A batch on the queue of a service: its workers make the clips, this process hands them out."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from vivant.batch.manifest import Task
from vivant.batch.run import Outcome
from vivant.errors import VivantError
from vivant.files import publish
from vivant.service.queue.client import ENDED, Job, Queue
from vivant.service.queue.store import prepare
from vivant.service.results import results_of
from vivant.service.settings import ServiceSettings
from vivant.service.work import clip_of

OWNER = "batch"
AT_ONCE = 64
"""Jobs that wait or run at a time; others use the queue, too."""
LOOK_SECONDS = 0.5


@dataclass(frozen=True)
class OnQueue:
    """Submits jobs to the service of ``settings`` and fetches their clips.

    A job is named by what it asks for: a run that was killed finds those that it submitted.
    """

    settings: ServiceSettings

    def __call__(self, tasks: Sequence[Task], out: Path) -> Iterator[Outcome]:
        """See `vivant.batch.run.Executor`."""
        prepare(self.settings)
        with closing(Queue(self.settings, patient=True)) as queue:
            waiting, running = list(reversed(tasks)), dict[str, Task]()
            while waiting or running:
                while waiting and len(running) < AT_ONCE:
                    task = waiting.pop()
                    try:
                        running[self._submit(queue, task)] = task
                    except (VivantError, OSError) as error:
                        yield Outcome(task, str(error))
                ended = [job for job in queue.several(list(running), OWNER) if job.state in ENDED]
                for job in ended:
                    yield self._fetched(queue, running.pop(job.id), job, out)
                if running and not ended:
                    time.sleep(LOOK_SECONDS)

    def _submit(self, queue: Queue, task: Task) -> str:
        uploads = self.settings.uploads
        uploads.mkdir(parents=True, exist_ok=True)
        for sha256, (path, _) in task.files.items():
            with publish(uploads / sha256) as temporary:
                shutil.copyfile(path, temporary)
        body = {"request": task.request, "format": task.format, "consent": task.consent}
        return queue.submit(body, OWNER, task.identity).id

    def _fetched(self, queue: Queue, task: Task, job: Job, out: Path) -> Outcome:
        """Take the clip of a job that has ended; the queue forgets it, so that a later run may
        try again what failed."""
        error = job.error or f"The job was {job.state}."
        if job.state == "succeeded":
            try:
                self._copy(task, job.id, out)
                error = ""
            except (VivantError, OSError) as failure:
                error = str(failure)
        with suppress(VivantError):  # the store is away; a clip too many harms nobody
            results_of(self.settings).remove(job.id, self._name(task, job.id))
        queue.forget(job.id)
        return Outcome(task, error)

    def _copy(self, task: Task, job_id: str, out: Path) -> None:
        """Take a clip from where the service keeps it."""
        kept = results_of(self.settings).find(job_id, self._name(task, job_id))
        if kept is None:
            raise VivantError("The clip is gone from the service.")
        with publish(out / task.name) as temporary, temporary.open("wb") as stream:
            for chunk in kept.read():
                stream.write(chunk)

    def _name(self, task: Task, job_id: str) -> str:
        return clip_of(self.settings, job_id, task.format).name
