"""A page with vivant behind it: `pip install vivant gradio`, `python examples/gradio_app.py`."""

import tempfile
from pathlib import Path

import gradio as gr

import vivant

PROGRESS = gr.Progress()


def animate(picture: str, prompt: str, seconds: float, seed: float, progress=PROGRESS) -> str:
    """The file of a clip, marked and signed."""
    try:
        clip = vivant.animate(picture, seconds=seconds, seed=int(seed), prompt=prompt or None)
        out = Path(tempfile.mkdtemp(prefix="vivant-")) / "clip.mp4"
        clip.save(out, hooks=vivant.Hooks(lambda stage, share: progress(share, desc=stage)))
    except vivant.VivantError as error:
        raise gr.Error(str(error)) from error
    return str(out)


page = gr.Interface(
    animate,
    [
        gr.Image(type="filepath", label="Picture"),
        gr.Textbox(label="Prompt", placeholder="the clouds drift left, slow push-in"),
        gr.Slider(1, 10, 4, step=0.5, label="Seconds"),
        gr.Number(0, precision=0, label="Seed"),
    ],
    gr.Video(label="Clip", autoplay=True, loop=True),
    title="vivant",
    description="Still pictures come to life. Every clip is marked as AI-generated.",
    flagging_mode="never",
)

if __name__ == "__main__":
    page.launch(server_name="127.0.0.1")
