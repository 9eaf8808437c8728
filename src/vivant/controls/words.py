"""A prompt in plain language, for models that read it as it is.

``--prompt`` yields it where the chosen model honours ``words``; the built-in model understands the
small grammar of `vivant.controls.prompt` instead.
"""

from __future__ import annotations

from dataclasses import dataclass

from vivant.controls.entry import Entry
from vivant.errors import UsageError

LONGEST = 4000


@dataclass(frozen=True)
class Words:
    """What the clip shall show: ``text`` of 1 to 4000 characters. Raises UsageError outside of
    that."""

    text: str

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError("The prompt is empty; say what the clip shall show.")
        if len(self.text) > LONGEST:
            raise UsageError(f"A prompt has at most {LONGEST} characters, not {len(self.text)}.")

    @property
    def asks(self) -> bool:
        """Always."""
        return True


ENTRY = Entry("words", Words, (), write=lambda control: ("--prompt", control.text))
"""It has no option of its own: `vivant.controls.prompt` has it."""
