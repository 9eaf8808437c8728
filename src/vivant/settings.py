"""What the environment says, read once at the edge and handed on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from vivant.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """The operator's choices.

    ``home``: folder for what belongs to this user (``VIVANT_HOME``, else the platform's place);
    ``signer_certificate`` and ``signer_key``: PEM files, both or neither
    (``VIVANT_SIGNER_CERT``, ``VIVANT_SIGNER_KEY``); ``timestamp_url``: RFC 3161 authority
    (``VIVANT_TSA_URL``); ``policy_hook``: command asked before and after
    (``VIVANT_POLICY_HOOK``); ``nudity_screen``: on unless ``VIVANT_NUDITY_SCREEN=off``;
    ``watermark_required``: ``VIVANT_WATERMARK=required``; ``trust``: PEM file of authorities
    (``VIVANT_TRUST``); ``debug``: tracebacks (``VIVANT_DEBUG``, 0 is off).
    Raises UsageError for what is none of these.
    """

    home: Path
    signer_certificate: Path | None = None
    signer_key: Path | None = None
    timestamp_url: str = ""
    policy_hook: str = ""
    nudity_screen: bool = True
    watermark_required: bool = False
    trust: Path | None = None
    debug: bool = False

    def __post_init__(self) -> None:
        if (self.signer_certificate is None) != (self.signer_key is None):
            raise UsageError("Set both VIVANT_SIGNER_CERT and VIVANT_SIGNER_KEY, or neither.")
        if self.timestamp_url and not self.timestamp_url.startswith(("http://", "https://")):
            raise UsageError(
                "VIVANT_TSA_URL is the address of a time stamp authority, http://... or https://...,"
                f" not {self.timestamp_url!r}."
            )


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of an environment, this process's by default. Raises UsageError."""
    environ = os.environ if environ is None else environ

    def path(name: str) -> Path | None:
        return Path(environ[name]) if environ.get(name) else None

    return Settings(
        home=path("VIVANT_HOME") or _home(),
        signer_certificate=path("VIVANT_SIGNER_CERT"),
        signer_key=path("VIVANT_SIGNER_KEY"),
        timestamp_url=environ.get("VIVANT_TSA_URL", ""),
        policy_hook=environ.get("VIVANT_POLICY_HOOK", ""),
        nudity_screen=_chosen(environ, "VIVANT_NUDITY_SCREEN", "on", "off") == "on",
        watermark_required=_chosen(environ, "VIVANT_WATERMARK", "optional", "required")
        == "required",
        trust=path("VIVANT_TRUST"),
        debug=environ.get("VIVANT_DEBUG", "") not in ("", "0"),
    )


def _chosen(environ: Mapping[str, str], name: str, default: str, other: str) -> str:
    """One of two words. A third is refused: what protects must not be off by a slip."""
    found = environ.get(name) or default
    if found not in (default, other):
        raise UsageError(f"{name} is {default} or {other}, not {found!r}.")
    return found


def _home() -> Path:
    found = platformdirs.user_config_path("vivant", appauthor=False, roaming=True)
    if not found.is_absolute():  # no HOME, and an account that states none
        raise UsageError(
            "This account has no home folder; name a folder for vivant's keys with VIVANT_HOME."
        )
    return found
