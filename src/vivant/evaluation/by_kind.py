"""The truth about a clip kind by kind.

Most clips show people, animals and vehicles, which hold on purpose, so that a measure over all that
moves says little of what is made to move.
"""

from __future__ import annotations

from vivant.data.shards import Sample
from vivant.data.windows import Window
from vivant.evaluation.motion_scores import Truth
from vivant.motion.drifts import moving_kinds, without_rain


def kind_truths(sample: Sample, window: Window, step: int) -> dict[str, Truth]:
    """Each kind that is seen to move in the ``window`` that begins at ``step`` of a shot, with what
    of it moves; nothing where the camera cannot be taken out."""
    found = moving_kinds(window, sample.labels, step)
    if found is None:
        return {}
    steady, kinds = found
    category = str(sample.facts.get("category", ""))
    return {
        kind: Truth(sample.key, category, steady, *classes, window.camera_moves)
        for kind, classes in without_rain(kinds, sample).items()
    }
