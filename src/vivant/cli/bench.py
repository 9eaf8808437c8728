"""``vivant bench``: what the main job costs on this machine."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from PIL import Image

from vivant.bench.plot import svg
from vivant.bench.runs import SIZES, bench
from vivant.cli.show import progress_bars, say
from vivant.errors import UsageError
from vivant.files import make_folder, publish
from vivant.media.decoder import Decoder

DRAWN = (3840, 2160)


def measure_speed(photo: Path | None, sizes: str, seconds: float, out: Path, long: bool) -> None:
    """Measure, write ``bench.json`` and ``bench.svg`` into ``out``, and print a table."""
    chosen = [size.strip().lower() for size in sizes.split(",") if size.strip()]
    unknown = [size for size in chosen if size not in SIZES]
    if unknown or not chosen:
        raise UsageError(f"--sizes {sizes} is not understood; choose from {','.join(SIZES)}.")
    if not 0.25 <= seconds <= 60:
        raise UsageError(f"--seconds must be from 0.25 to 60, not {seconds:g}.")
    if out.exists() and not out.is_dir():
        raise UsageError(f"The output {out} is a file; name a folder for the results.")
    with tempfile.TemporaryDirectory() as name, progress_bars(quiet=False) as progress:
        source = _large(photo, max(SIZES[s] for s in [*chosen, "720p"]), Path(name))
        make_folder(out)
        pairs = [f"{SIZES[s]}p" for s in chosen]
        results = bench(
            source, pairs, seconds, Path(name), lambda share: progress("measuring", share), long
        )
    results["photo"] = photo.name if photo else "drawn"
    with publish(out / "bench.json") as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    with publish(out / "bench.svg") as temporary:
        temporary.write_text(svg(results), "utf-8")
    for row in results["runs"]:
        fps, whole = row["frames_per_second"], row["whole"]
        say(
            f"{row['width']}x{row['height']}, {row['seconds']:g} s: {whole['wall']:.1f} s whole"
            f" ({row['ratio_to_encoding']:.1f} times encoding alone), {whole['peak_mib']:.0f} MiB;"
            f" render {fps['render']:.0f}, watermark {fps['watermark']:.0f},"
            f" encode {fps['encode']:.0f} frames/s"
        )
    say(f"{out / 'bench.json'} and bench.svg")


def _large(photo: Path | None, short: int, folder: Path) -> Path:
    """A PNG whose short side is at least ``short``: a smaller photograph is enlarged, so that
    every size can be measured; without one a picture is drawn."""
    if photo is None:
        image = Image.effect_mandelbrot(DRAWN, (-2.0, -1.2, 0.9, 1.2), 90).convert("RGB")
        noise = Image.effect_noise(DRAWN, 60).convert("RGB")
        image = Image.blend(image, noise, 0.3)
    else:
        with Decoder() as decoder:
            image = Image.fromarray(decoder.picture(photo).pixels)
    scale = max(1.0, short / min(image.size))
    if scale > 1:
        size = (2 * round(image.width * scale / 2), 2 * round(image.height * scale / 2))
        image = image.resize(size, Image.Resampling.LANCZOS)
    path = folder / "photo.png"
    image.save(path, compress_level=1)
    return path
