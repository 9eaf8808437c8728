"""What `GET /metrics` says, in the text format of Prometheus."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.service.queue.figures import Figures

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
QUANTILES = (0.5, 0.95)


class Counted:
    """Counts the answers of an ASGI application by method and status, in this process."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, int]] = Counter()
        self._lock = threading.Lock()

    def answers(self) -> dict[tuple[str, int], int]:
        """How many there were so far."""
        with self._lock:
            return dict(self._answers)

    def add(self, method: str, status: int) -> None:
        """Count one; strangers' methods are one."""
        with self._lock:
            self._answers[method if method in METHODS else "other", status] += 1


class CountingMiddleware:
    """Tells ``counted`` of every answer that begins."""

    def __init__(self, app: ASGIApp, counted: Counted) -> None:
        self._app, self._counted = app, counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""

        async def heard(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counted.add(scope["method"], message["status"])
            await send(message)

        await self._app(scope, receive, heard if scope["type"] == "http" else send)


def exposition(figures: Figures, counted: Counted) -> str:
    """All series, each with its help and type."""
    answers = sorted(counted.answers().items())
    return "".join(
        [
            _series("vivant_jobs", "gauge", "Jobs in the database by state.", [
                (f'state="{state}"', number) for state, number in figures.jobs.items()
            ]),
            _series("vivant_queue_depth", "gauge", "Jobs that wait for a worker.", [
                ("", figures.jobs["queued"])
            ]),
            _series("vivant_queue_oldest_seconds", "gauge", "Age of the job that waits longest.", [
                ("", figures.oldest)
            ]),
            _series("vivant_job_wait_seconds", "gauge", "From submission to the last start, of the "
                    "jobs that ended in the last hour.", _quantiles(figures.waited)),
            _series("vivant_job_work_seconds", "gauge", "From the last start to the end, of the "
                    "jobs that ended in the last hour.", _quantiles(figures.worked)),
            _series("vivant_webhooks", "gauge", "Web hooks by state.", [
                (f'state="{state}"', number) for state, number in figures.webhooks.items()
            ]),
            _series("vivant_http_requests_total", "counter", "Answers of this web process.", [
                (f'method="{method}",status="{status}"', number)
                for (method, status), number in answers
            ]),
        ]
    )  # fmt: skip


def _quantiles(values: Sequence[float]) -> list[tuple[str, float]]:
    """None where there is nothing to say."""
    ordered = sorted(values)
    return [
        (f'quantile="{share:g}"', ordered[min(len(ordered) - 1, int(share * len(ordered)))])
        for share in QUANTILES
        if ordered
    ]


def _series(name: str, kind: str, about: str, samples: Iterable[tuple[str, float]]) -> str:
    lines = [f"# HELP {name} {about}", f"# TYPE {name} {kind}"]
    lines += [f"{name}{{{labels}}} {value:g}" if labels else f"{name} {value:g}"
              for labels, value in samples]  # fmt: skip
    return "\n".join(lines) + "\n"
