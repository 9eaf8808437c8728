"""vivant brings still pictures to life.

    import vivant

    vivant.animate("photo.jpg", seconds=4, camera="push-in").save("clip.mp4")

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from vivant.version import __version__

__all__ = [
    "Animation", "Hooks", "VivantError", "VivantPipeline", "__version__", "animate", "connect",
    "render", "verify",
]  # fmt: skip
_ELSEWHERE = {
    "Hooks": "vivant.request",
    "VivantError": "vivant.errors",
    "VivantPipeline": "vivant.pipeline",
    "connect": "vivant.client.remote",
}

if TYPE_CHECKING:
    from vivant.client.remote import connect
    from vivant.errors import VivantError
    from vivant.facade import Animation, animate, render, verify
    from vivant.pipeline import VivantPipeline
    from vivant.request import Hooks


def __getattr__(name: str) -> object:
    if name in __all__:
        return getattr(import_module(_ELSEWHERE.get(name, "vivant.facade")), name)
    raise AttributeError(f"module 'vivant' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
