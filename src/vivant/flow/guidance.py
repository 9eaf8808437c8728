"""Classifier-free guidance (Ho and Salimans, 2022) over any condition."""

from __future__ import annotations

from typing import Any, TypeVar

A = TypeVar("A", bound=Any)


def guide(conditional: A, unconditional: A, weight: float) -> A:
    """Extrapolate from the unconditional to the conditional velocity.

    ``weight`` 1 = the conditional velocity itself, above 1 = more of the condition.
    """
    return unconditional + weight * (conditional - unconditional)
