"""The service in the shapes that people's clients speak: each a thin module over `Jobs`."""

from __future__ import annotations

from fastapi import FastAPI

from vivant.service.fronts import fal, openai, replicate
from vivant.service.jobs import Jobs
from vivant.service.keys import ApiKey


def add_fronts(app: FastAPI, jobs: Jobs, keys: tuple[ApiKey, ...]) -> None:
    """Add the operations of every front."""
    for front in (openai, fal, replicate):
        front.add(app, jobs, keys)
