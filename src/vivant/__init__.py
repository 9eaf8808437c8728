"""vivant brings still pictures to life.

    import vivant

    vivant.animate("photo.jpg", seconds=4, camera="push-in").save("clip.mp4")

Nothing heavy is imported before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vivant.version import __version__

__all__ = ["Animation", "__version__", "animate", "connect", "render", "verify"]

if TYPE_CHECKING:
    from vivant.client.remote import connect
    from vivant.facade import Animation, animate, render, verify


def __getattr__(name: str) -> object:
    if name == "connect":
        from vivant.client.remote import connect

        return connect
    if name in __all__:
        from vivant import facade

        return getattr(facade, name)
    raise AttributeError(f"module 'vivant' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
