"""The straight path between noise and data, and how training times are drawn.

Lipman et al., "Flow Matching for Generative Modeling" (2023); Liu et al., rectified flow
(2023). Time runs from 0 = noise to 1 = data, everywhere. The functions need arithmetic only,
so they serve NumPy arrays and PyTorch tensors alike.
"""

from __future__ import annotations

from typing import Any, TypeVar

A = TypeVar("A", bound=Any)


def interpolate(noise: A, data: A, t: A) -> A:
    """The point at time ``t`` on the straight path."""
    return (1 - t) * noise + t * data


def velocity(noise: A, data: A) -> A:
    """The velocity of the straight path, what the network learns to predict."""
    return data - noise
