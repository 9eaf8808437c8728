"""Training of the network that finds lettering laid over a scene (needs the extra [train]).

    python recipes/lettering.py train --photos PHOTOS --fonts FONTS --out RUN
    python recipes/lettering.py train --photos PHOTOS --fonts FONTS --out RUN2 --start RUN
    python recipes/lettering.py export --out RUN --graph src/vivant/scene/lettering.onnx

PHOTOS holds a manifest.jsonl with the splits of its pictures; FONTS fonts of several styles and
scripts (.ttf, .otf). One photograph in twelve is kept back to choose thresholds on; those of the
split `holdout` are never learned from. Training goes on where it was interrupted; ``--start``
begins with the network of another run.
"""

from __future__ import annotations

import argparse
from pathlib import Path

KEPT_BACK = 12


def learn(args: argparse.Namespace) -> None:
    from vivant.data.teacher_files import photographs
    from vivant.media.decoder import Decoder
    from vivant.training.scene.lettered import typefaces
    from vivant.training.scene.lettering import LetteringNetwork, LetteringTask
    from vivant.training.scene.restore import lettering_of
    from vivant.training.trainer import TrainOptions, train

    network = LetteringNetwork() if args.start is None else lettering_of(args.start)
    rows = [p for p in photographs(args.photos / "manifest.jsonl") if p.facts["split"] == "train"]
    with Decoder() as decoder:
        pictures = [decoder.picture(row.path).pixels for k, row in enumerate(rows) if k % KEPT_BACK]
    train(
        LetteringTask(network, pictures, typefaces(args.fonts)),
        TrainOptions(
            args.steps,
            rate=4e-3 if args.start is None else 1.5e-3,
            warmup=50 if args.start is None else 10,
            weight_decay=1e-4,
            ema=0.99,
            save_every=50,
            seed=0 if args.start is None else 1,
        ),
        args.out,
        progress=lambda step, loss: print(step, round(loss, 4), flush=True),
    )


def export(args: argparse.Namespace) -> None:
    from vivant.training.scene.lettering import write_lettering
    from vivant.training.scene.restore import lettering_of

    write_lettering(lettering_of(args.out), args.graph)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, run, folders in (
        ("train", learn, ("photos", "fonts", "out")),
        ("export", export, ("out", "graph")),
    ):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        for folder in folders:
            command.add_argument(f"--{folder}", type=Path, required=True)
        if run is learn:
            command.add_argument("--steps", type=int, default=1200)
            command.add_argument("--start", type=Path)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
