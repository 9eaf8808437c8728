"""What the environment says, read once."""

from __future__ import annotations

from pathlib import Path

import platformdirs
import pytest

from vivant.errors import UsageError
from vivant.settings import read_settings


def test_an_empty_environment_has_the_defaults() -> None:
    found = read_settings({})
    assert found.home.is_absolute()
    assert found.nudity_screen
    assert (found.watermark_required, found.debug) == (False, False)
    assert (found.policy_hook, found.timestamp_url) == ("", "")
    assert (found.signer_certificate, found.signer_key, found.trust) == (None, None, None)


def test_everything_is_read() -> None:
    found = read_settings(
        {
            "VIVANT_HOME": "/h", "VIVANT_SIGNER_CERT": "/c", "VIVANT_SIGNER_KEY": "/k",
            "VIVANT_TSA_URL": "http://t", "VIVANT_POLICY_HOOK": "hook x", "VIVANT_TRUST": "/t",
            "VIVANT_NUDITY_SCREEN": "off", "VIVANT_WATERMARK": "required", "VIVANT_DEBUG": "1",
        }
    )  # fmt: skip
    assert (found.home, found.signer_certificate, found.signer_key, found.trust) == (
        Path("/h"), Path("/c"), Path("/k"), Path("/t"),
    )  # fmt: skip
    assert (found.timestamp_url, found.policy_hook) == ("http://t", "hook x")
    assert not found.nudity_screen
    assert found.watermark_required
    assert found.debug


def test_half_a_signer_is_refused() -> None:
    with pytest.raises(UsageError, match="both"):
        read_settings({"VIVANT_SIGNER_CERT": "/c"})


@pytest.mark.parametrize(
    ("name", "value"),
    [("VIVANT_WATERMARK", "require"), ("VIVANT_NUDITY_SCREEN", "OFF"), ("VIVANT_TSA_URL", "t.org")],
)
def test_a_slip_is_refused_not_passed_over(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"{name} is .*not '{value}'"):
        read_settings({"VIVANT_HOME": "/h", name: value})


def test_empty_and_nought_are_the_defaults() -> None:
    found = read_settings({"VIVANT_NUDITY_SCREEN": "", "VIVANT_WATERMARK": "", "VIVANT_DEBUG": "0"})
    assert (found.nudity_screen, found.watermark_required, found.debug) == (True, False, False)


def test_an_account_without_a_home_is_told_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: Path("~/.config/vivant"))
    with pytest.raises(UsageError, match="VIVANT_HOME"):
        read_settings({})
    assert read_settings({"VIVANT_HOME": "/h"}).home == Path("/h")
