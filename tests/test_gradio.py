"""The Gradio example runs: a picture goes in by its client, a signed clip comes out."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

import vivant
from conftest import EXAMPLES

pytest.importorskip("gradio", reason="needs Gradio")
pytestmark = pytest.mark.filterwarnings("ignore")  # theirs are theirs


def test_the_example_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
    import gradio_client

    spec = importlib.util.spec_from_file_location("gradio_app", EXAMPLES / "gradio_app.py")
    assert spec is not None
    assert spec.loader is not None
    app = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(app)
    _, url, _ = app.page.launch(server_name="127.0.0.1", prevent_thread_lock=True, quiet=True)
    try:
        client = gradio_client.Client(url, verbose=False)
        photo = gradio_client.handle_file(str(EXAMPLES / "lake.jpg"))
        clip = client.predict(photo, "the clouds drift left", 1, 3, api_name="/animate")
        path = Path(clip["video"] if isinstance(clip, dict) else clip)
        assert vivant.verify(path).record is not None
        with pytest.raises(Exception, match="dragon"):
            client.predict(photo, "a dragon appears", 1, 3, api_name="/animate")
    finally:
        app.page.close()
