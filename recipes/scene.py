"""Training of the network that sees: kinds, characters of water, depth (needs the extra [train],
and ai-edge-litert and ncnn for the teachers).

    vivant prepare CLIPS --split train --max-text 1 --min-speed 0 --min-confidence 0 \\
        --min-seconds 1.2 --max-jump 1000 --out SHARDS
    python recipes/scene.py label --photos PHOTOS/manifest.jsonl --shards SHARDS \\
        --teachers TEACHERS --out TAUGHT
    python recipes/scene.py train --taught TAUGHT --shards SHARDS --out RUN

Labels and training go on where they were interrupted. One in twelve photographs is kept back to
check on; those of the split `holdout` are never learned from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

MARKS = Path(__file__).with_name("scene_photos.json")
CHECKED = 12
WORLDS = 160


def label(args: argparse.Namespace) -> None:
    from vivant.data.teacher_files import key_frames, label_pictures, photographs

    pictures = [*photographs(args.photos), *key_frames(args.shards)]
    made = label_pictures(pictures, args.teachers, args.out, progress=said("labelled"))
    print(f"{made} pictures labelled in {args.out}")


def learn(args: argparse.Namespace) -> None:
    from vivant.motion.encoder import pretrained_encoder
    from vivant.training.scene.checks import check_on
    from vivant.training.scene.clips import clip_examples
    from vivant.training.scene.examples import photo_examples, world_examples
    from vivant.training.scene.marks import read_marks
    from vivant.training.scene.network import SceneNetwork
    from vivant.training.scene.task import SeeTask
    from vivant.training.trainer import TrainOptions, train

    marks = read_marks(MARKS)
    photos = photo_examples(sorted(args.taught.glob("photo-*.npz")), marks)
    checked, kept = photos[::CHECKED], [e for k, e in enumerate(photos) if k % CHECKED]
    clips = [example for example, _ in clip_examples(args.shards, args.taught, marks)]
    worlds = world_examples(WORLDS, [example.image for example in kept[::4]])
    print(f"{len(kept)} photographs, {len(clips)} key frames, {len(worlds)} worlds", flush=True)
    train(
        SeeTask(SceneNetwork(pretrained_encoder()), kept, clips, worlds),
        TrainOptions(
            args.steps, rate=7e-4, warmup=100, weight_decay=0.02, ema=0.997, save_every=150
        ),
        args.out,
        progress=lambda step, loss: print(step, round(loss, 3), flush=True),
        check=check_on(checked),
    )


def said(what: str):  # type: ignore[no-untyped-def]
    def say(share: float) -> None:
        print(f"{what} {share:.1%}", flush=True)

    return say


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("label")
    one.set_defaults(run=label)
    for name in ("photos", "shards", "teachers", "out"):
        one.add_argument(f"--{name}", type=Path, required=True)
    two = commands.add_parser("train")
    two.set_defaults(run=learn)
    for name in ("taught", "shards", "out"):
        two.add_argument(f"--{name}", type=Path, required=True)
    two.add_argument("--steps", type=int, default=6000)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
