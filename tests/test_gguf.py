"""Headers of GGUF files are read; what is cut, odd or no such file is refused by name."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from vivant.adapters.families import family_named, family_of
from vivant.adapters.gguf import gguf_header
from vivant.adapters.layout import read_checkpoint
from vivant.adapters.memory import weights
from vivant.errors import BundleError

Q8_0, F32, ODD = 8, 0, 35


def text(words: str) -> bytes:
    return struct.pack("<Q", len(words)) + words.encode()


def gguf(tensors: dict[str, tuple[tuple[int, ...], int, int]], version: int = 3) -> bytes:
    """A file of zeros; a tensor's shape as PyTorch counts it, its kind and its bytes."""
    facts = text("general.architecture") + struct.pack("<I", 8) + text("wan")
    facts += text("a.list") + struct.pack("<IIQ3I", 9, 4, 3, 1, 2, 3)
    rows, at = b"", 0
    for name, (shape, kind, size) in tensors.items():
        sides = reversed(shape)
        rows += text(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *sides)
        rows += struct.pack("<IQ", kind, at)
        at += -(-size // 32) * 32
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), 2) + facts + rows
    return head + b"\0" * (-len(head) % 32 + at)


TENSORS = {"a.weight": ((4, 64), Q8_0, 4 * 2 * 34), "a.bias": ((4,), F32, 16)}


def test_shapes_and_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf(TENSORS))
    found = gguf_header(path)
    assert {name: row.shape for name, row in found.items()} == {"a.weight": (4, 64), "a.bias": (4,)}
    assert {name: row.size for name, row in found.items()} == {"a.weight": 272, "a.bias": 16}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no whole GGUF"),
        (b"PK\3\4" * 20, "no whole GGUF"),
        (gguf(TENSORS, version=1), "no whole GGUF"),
        (gguf(TENSORS)[:60], "no whole GGUF"),
        (gguf(TENSORS)[:-32], "cut short"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0), "no whole GGUF"),
        (gguf({"a": ((64,), ODD, 64)}), "number 35"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=said) as error:
        gguf_header(path)
    assert "\n" not in str(error.value)


def checkpoint(folder: Path, kind: str = "WanTransformer3DModel") -> Path:
    index: dict[str, Any] = {
        "_class_name": "WanImageToVideoPipeline",
        "transformer": ["diffusers", kind],
        "transformer_2": ["diffusers", kind],
    }
    for part in ("transformer", "transformer_2"):
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text("{}")
        (folder / part / "w.gguf").write_bytes(gguf(TENSORS))
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def test_a_part_may_be_quantised(tmp_path: Path) -> None:
    found = read_checkpoint(checkpoint(tmp_path))
    assert family_of(found).name == "wan-2.2"
    assert found.packed["transformer"] == {"a.weight": 272, "a.bias": 16}
    assert found.parameters("transformer") == 260
    for dtype in ("float32", "int8"):
        sizes = weights(found, family_named("wan-2.2"), dtype)
        assert sizes == {"transformer": 288, "transformer_2": 288}
    with (tmp_path / "transformer" / "w.gguf").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\1")
    assert read_checkpoint(tmp_path).sha256 != found.sha256


def test_it_is_clear_which_file_holds_the_weights(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path)
    (folder / "transformer" / "v.gguf").write_bytes(gguf(TENSORS))
    with pytest.raises(BundleError, match="several files"):
        read_checkpoint(folder)


def test_what_diffusers_opens_from_none_is_said(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path, "CogVideoXTransformer3DModel")
    with pytest.raises(BundleError, match="opens no CogVideoXTransformer3DModel"):
        read_checkpoint(folder)
