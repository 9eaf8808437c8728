"""What is known of footage that is made longer, whoever makes up how it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.asset import Assets
from vivant.clip import Sound, VideoSpec
from vivant.controls.edits import Extend
from vivant.errors import UsageError
from vivant.footage.hearing import silenced
from vivant.footage.source import Footage, footage_of
from vivant.request import MAX_SECONDS, Request, Target


@dataclass(frozen=True, eq=False)
class Longer:
    """Footage and how it is made longer."""

    footage: Footage
    edit: Extend

    @property
    def added(self) -> int:
        """Frames that are made up."""
        return max(1, round(self.edit.seconds * self.footage.info.fps))

    @property
    def video(self) -> VideoSpec:
        """The whole of it."""
        info = self.footage.info
        return VideoSpec(*self.footage.size, info.fps, info.count + self.added)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is made up."""
        where = "before it" if self.edit.before else "after it"
        made = f"{self.edit.seconds:g} s are made up {where}."
        silent = ("It is silent there.",) if self.footage.heard else ()
        return (*self.footage.notes, made, *silent)

    def sound(self) -> Sound | None:
        """The footage's sound, silent where something is made up."""
        sound, info = self.footage.sound(), self.footage.info
        if sound is None:
            return None
        length, quiet = info.count / info.fps, self.added / info.fps
        return silenced(sound, length, quiet, self.edit.before)


def lengthened(request: Request, assets: Assets, target: Target) -> Longer:
    """The footage of a request with how it is made longer. Raises UsageError where that is too
    long."""
    longer = Longer(footage_of(request, assets, target), request.one(Extend) or Extend())
    if longer.video.count / longer.video.fps > MAX_SECONDS:
        raise UsageError(f"Footage is made {MAX_SECONDS:g} s long at most.")
    return longer
