"""``vivant serve``: the HTTP API, with a worker beside it."""

from __future__ import annotations

import threading

from vivant.cli.show import say
from vivant.errors import UsageError
from vivant.service.keys import new_key, read_keys
from vivant.service.settings import ServiceSettings, check_reach

LAST_SECONDS = 5
"""For answers under way, when the service is told to stop; who listens to a job comes again."""


def serve(settings: ServiceSettings, with_worker: bool) -> None:
    """Serve until interrupted. Raises UsageError where the extra is missing, or where others
    could reach a service without keys."""
    keys = read_keys(settings.keys)
    check_reach(settings, len(keys))
    try:
        import uvicorn

        from vivant.service.api import api
        from vivant.service.queue.store import prepare
        from vivant.service.results import check_store
        from vivant.service.supervisor import supervise
    except ImportError as error:
        raise UsageError("This needs the extra: pip install 'vivant[serve]'.") from error
    check_store(settings)
    prepare(settings)
    until = threading.Event()
    command = ["worker", "--folder", str(settings.folder), "--queue", settings.queue]
    command += ["--lease", str(settings.lease), "--results", settings.store, "--supervised"]
    keeper = threading.Thread(target=supervise, args=(command, until))
    if with_worker:
        keeper.start()
    say(f"http://{settings.host}:{settings.port}/docs")
    try:
        uvicorn.run(
            api(settings, keys), host=settings.host, port=settings.port, log_level="warning",
            server_header=False, timeout_graceful_shutdown=LAST_SECONDS,
        )  # fmt: skip
    finally:
        until.set()
        if with_worker:
            keeper.join()


def make_key(settings: ServiceSettings, name: str) -> None:
    """Make an API key and print its secret, once."""
    print(new_key(settings.keys, name))
