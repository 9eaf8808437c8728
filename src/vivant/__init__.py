"""vivant brings still pictures to life: a motion field is sampled, then rendered."""

from __future__ import annotations

__version__ = "0.1.0"
