"""Pages are filled from templates, and whatever they show is escaped."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from vivant.data.report import write_report
from vivant.pages import data_url, page

NASTY = "<script>alert(1)</script>"


def test_names_of_files_are_shown_not_run() -> None:
    quality = {"seconds": 2.0, "speed": 0.1, "confidence": 0.5, "jump": 1.0, "text": 0.0}
    kept = {
        "shot": NASTY,
        "clip": "a.mp4",
        "category": NASTY,
        "quality": quality,
        "thumbnail": "ff",
    }
    dropped = {"clip": f"{NASTY}.mp4", "dropped": f"it {NASTY}"}
    text = write_report([kept, dropped])
    assert NASTY not in text
    assert text.count("&lt;script&gt;alert(1)") == 6  # shot, category twice, clip, reason twice
    assert 'src="data:image/jpeg;base64,/w=="' in text
    assert text.count("<figure class=dropped>") == 1
    assert text.count("<svg") == 5
    assert "1 shots kept, 1 dropped" in text


def test_bars_have_the_heights_of_the_counts() -> None:
    rows = [
        {"shot": "s", "clip": "c", "quality": dict.fromkeys(
            ("seconds", "speed", "confidence", "jump", "text"), value)}
        for value in (0.0, 0.0, 1.0)
    ]  # fmt: skip
    text = write_report(rows)
    assert text.count('y="0.0" width="9" height="60.0"') == 5  # two of three in the first bar
    assert text.count('height="30.0"') == 5
    assert "speed: 0 to 1" in text


def test_nothing_is_left_out_in_silence() -> None:
    with pytest.raises(UndefinedError):
        page("prepared", title="x")
    assert data_url("", "image/png") == ""
