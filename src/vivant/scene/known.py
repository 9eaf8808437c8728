"""A picture that is told from others by its hash, so that an answer about it can be remembered."""

from __future__ import annotations

from dataclasses import dataclass

from vivant.clip import Picture


@dataclass(frozen=True)
class Known:
    """A ``picture`` as the key of a memory; those without a hash are all alike."""

    picture: Picture

    def __hash__(self) -> int:
        return hash(self.picture.sha256)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Known) and other.picture.sha256 == self.picture.sha256
