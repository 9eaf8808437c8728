"""Training of the networks that see: kinds, characters of water, depth, what moves, mattes (needs
the extra [train], and ai-edge-litert and ncnn for the teachers).

    for split in train val test; do
        vivant prepare CLIPS --split $split --max-text 1 --min-speed 0 --min-confidence 0 \\
            --min-seconds 1.2 --max-jump 1000 --out SHARDS/$split; done
    python recipes/scene.py label --photos PHOTOS --shards SHARDS --teachers TEACHERS --out TAUGHT
    python recipes/scene.py train --taught TAUGHT --shards SHARDS --out RUN/see
    python recipes/scene.py mattes --taught TAUGHT --photos PHOTOS --out RUN/mattes
    python recipes/scene.py export --runs RUN --shards SHARDS --out src/vivant/weights/scene

Labels and training go on where they were interrupted. One in twelve photographs is kept back to
check on; those of the split `holdout` are never learned from.
"""

from __future__ import annotations

import argparse
from pathlib import Path

MARKS = Path(__file__).with_name("scene_photos.json")
CHECKED = 12
WORLDS = 240
ENCODER_SHARE = 0.2
"""Share of the rate at which the encoder learns: pictures are few."""
ABOUT = {
    "name": "scene",
    "version": "0.2.0",
    "licence": "Apache-2.0",
    "summary": "kinds, waters, depth and what may move, from one picture",
}


def label(args: argparse.Namespace) -> None:
    from vivant.data.teacher_files import key_frames, label_pictures, photographs

    parts = {"photos": photographs(args.photos / "manifest.jsonl")}
    parts |= {s: list(key_frames(args.shards / s)) for s in ("train", "val", "test")}
    for name, pictures in parts.items():
        made = label_pictures(pictures, args.teachers, args.out / name, progress=said(name))
        print(f"{made} pictures labelled in {args.out / name}")


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
    photos = photo_examples(sorted((args.taught / "photos").glob("photo-*.npz")), marks)
    checked, kept = photos[::CHECKED], [e for k, e in enumerate(photos) if k % CHECKED]
    found = clip_examples(args.shards / "train", args.taught / "train", marks)
    clips = [example for example, _ in found]
    worlds = world_examples(WORLDS, [example.image for example in kept[::4]])
    print(f"{len(kept)} photographs, {len(clips)} key frames, {len(worlds)} worlds", flush=True)
    train(
        SeeTask(SceneNetwork(pretrained_encoder()), kept, clips, worlds),
        TrainOptions(
            args.steps,
            rate=7e-4,
            slower=(("encoder.", ENCODER_SHARE),),
            warmup=100,
            weight_decay=0.02,
            ema=0.998,
            save_every=250,
        ),
        args.out,
        progress=lambda step, loss: print(step, round(loss, 3), flush=True),
        check=check_on(checked),
    )


def learn_mattes(args: argparse.Namespace) -> None:
    from vivant.bundle import open_bundle
    from vivant.scene.eyes import FOLDER
    from vivant.training.scene.composites import read_plates
    from vivant.training.scene.refiner import MatteRefiner, RefineTask
    from vivant.training.scene.restore import released_refiner
    from vivant.training.trainer import TrainOptions, train

    plates = read_plates(args.taught / "photos", args.photos, "train")
    train(
        RefineTask(released_refiner(open_bundle(FOLDER)) if args.go_on else MatteRefiner(), plates),
        TrainOptions(
            args.steps,
            rate=1.5e-3 if args.go_on else 3e-3,
            warmup=50,
            weight_decay=1e-4,
            ema=0.997,
            save_every=100,
            seed=1 if args.go_on else 0,
        ),
        args.out,
        progress=lambda step, loss: print(step, round(loss, 4), flush=True),
    )


def export(args: argparse.Namespace) -> None:
    from vivant.training.scene.export import SceneGraph, write_scene_bundle
    from vivant.training.scene.moving import learn_moving, seen_windows
    from vivant.training.scene.restore import network_of, refiner_of

    network = network_of(args.runs / "see")
    seen = seen_windows(network, args.shards / "train", "train")
    head = learn_moving(seen, args.runs / "moving")
    write_scene_bundle(args.out, SceneGraph(network, head), refiner_of(args.runs / "mattes"), ABOUT)


def said(what: str):  # type: ignore[no-untyped-def]
    def say(share: float) -> None:
        print(f"{what} {share:.1%}", flush=True)

    return say


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, run, folders, steps in (
        ("label", label, ("photos", "shards", "teachers", "out"), 0),
        ("train", learn, ("taught", "shards", "out"), 6000),
        ("mattes", learn_mattes, ("taught", "photos", "out"), 4000),
        ("export", export, ("runs", "shards", "out"), 0),
    ):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        for folder in folders:
            command.add_argument(f"--{folder}", type=Path, required=True)
        if steps:
            command.add_argument("--steps", type=int, default=steps)
        if name == "mattes":
            command.add_argument("--go-on", action="store_true", help="from the released weights")
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
