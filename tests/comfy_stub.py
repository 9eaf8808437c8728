"""What the nodes use of ComfyUI, with the signatures of its V3 API (`comfy_api.latest`).

Signatures and checks follow ComfyUI's `comfy_api/latest/_io.py`, `__init__.py` and `folder_paths`;
nothing here takes an argument that they do not.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any


class _Input:
    io_type = ""

    def __init__(
        self, id: str, display_name: str | None = None, optional: bool = False,
        tooltip: str | None = None, lazy: bool | None = None, extra_dict: Any = None,
        raw_link: bool | None = None,
    ) -> None:  # fmt: skip
        self.id, self.display_name, self.optional, self.tooltip = (
            id,
            display_name,
            optional,
            tooltip,
        )


class _Output:
    io_type = ""

    def __init__(
        self, id: str | None = None, display_name: str | None = None, tooltip: str | None = None,
        is_output_list: bool = False,
    ) -> None:  # fmt: skip
        self.id, self.display_name, self.tooltip = id, display_name, tooltip


class _BooleanInput(_Input):
    def __init__(
        self, id: str, display_name: str | None = None, optional: bool = False,
        tooltip: str | None = None, lazy: bool | None = None, default: bool | None = None,
        label_on: str | None = None, label_off: str | None = None, socketless: bool | None = None,
        force_input: bool | None = None, extra_dict: Any = None, raw_link: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id, display_name, optional, tooltip)
        self.default = default


class _IntInput(_Input):
    def __init__(
        self, id: str, display_name: str | None = None, optional: bool = False,
        tooltip: str | None = None, lazy: bool | None = None, default: int | None = None,
        min: int | None = None, max: int | None = None, step: int | None = None,
        control_after_generate: bool | None = None, display_mode: Any = None,
        socketless: bool | None = None, force_input: bool | None = None, extra_dict: Any = None,
        raw_link: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id, display_name, optional, tooltip)
        self.default, self.min, self.max = default, min, max


class _FloatInput(_Input):
    def __init__(
        self, id: str, display_name: str | None = None, optional: bool = False,
        tooltip: str | None = None, lazy: bool | None = None, default: float | None = None,
        min: float | None = None, max: float | None = None, step: float | None = None,
        round: float | None = None, display_mode: Any = None, socketless: bool | None = None,
        force_input: bool | None = None, extra_dict: Any = None, raw_link: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id, display_name, optional, tooltip)
        self.default, self.min, self.max = default, min, max


class _StringInput(_Input):
    def __init__(
        self, id: str, display_name: str | None = None, optional: bool = False,
        tooltip: str | None = None, lazy: bool | None = None, multiline: bool = False,
        placeholder: str | None = None, default: str | None = None,
        dynamic_prompts: bool | None = None, socketless: bool | None = None,
        force_input: bool | None = None, extra_dict: Any = None, raw_link: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id, display_name, optional, tooltip)
        self.default = default


class _ComboInput(_Input):
    def __init__(
        self, id: str, options: list[str] | None = None, display_name: str | None = None,
        optional: bool = False, tooltip: str | None = None, lazy: bool | None = None,
        default: Any = None, control_after_generate: bool | None = None, upload: Any = None,
        image_folder: Any = None, remote: Any = None, socketless: bool | None = None,
        extra_dict: Any = None, raw_link: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(id, display_name, optional, tooltip)
        self.default, self.options = default, options


def _type(io_type: str, kind: type[_Input] = _Input) -> Any:
    own = {"io_type": io_type}
    return SimpleNamespace(
        io_type=io_type, Input=type("Input", (kind,), own), Output=type("Output", (_Output,), own)
    )


@dataclass
class Schema:
    node_id: str
    display_name: str | None = None
    category: str = "sd"
    inputs: list[_Input] = field(default_factory=list)
    outputs: list[_Output] = field(default_factory=list)
    hidden: list[Any] = field(default_factory=list)
    description: str = ""
    is_input_list: bool = False
    is_output_node: bool = False
    is_deprecated: bool = False
    is_experimental: bool = False
    is_api_node: bool = False
    not_idempotent: bool = False
    enable_expand: bool = False

    def validate(self) -> None:
        """Ids must be unique, among inputs and outputs together."""
        for number, output in enumerate(self.outputs):
            output.id = output.id or f"_{number}_{output.io_type}_"
        ids = [one.id for one in (*self.inputs, *self.outputs)]
        if len(set(ids)) != len(ids):
            raise ValueError(f"Ids must be unique: {ids}")


class ComfyNode:
    @classmethod
    def GET_SCHEMA(cls) -> Schema:
        schema: Schema = cls.define_schema()  # type: ignore[attr-defined]
        schema.validate()
        return schema


class NodeOutput:
    def __init__(
        self, *args: Any, ui: Any = None, expand: Any = None, block_execution: str | None = None
    ) -> None:
        self.args = args


class ComfyExtension:
    async def on_load(self) -> None:
        return


class VideoFromFile:
    def __init__(self, file: str, *, start_time: float = 0, duration: float = 0) -> None:
        self.file = file


@dataclass
class Stub:
    """What happened: ``progress`` as value and most; ``interrupted`` stops the next frame."""

    folder: Path
    progress: list[tuple[float, float]] = field(default_factory=list)
    interrupted: bool = False


class InterruptProcessingException(BaseException):
    pass


def install(stub: Stub, monkeypatch: Any) -> None:
    """Put ComfyUI's modules into place."""

    class Execution:
        def set_progress(
            self, value: float, max_value: float, node_id: str | None = None,
            preview_image: Any = None, ignore_size_limit: bool = False,
        ) -> None:  # fmt: skip
            stub.progress.append((value, max_value))

    class ComfyAPISync:
        execution = Execution()

    def throw() -> None:
        if stub.interrupted:
            raise InterruptProcessingException

    def save_path(
        filename_prefix: str, output_dir: str, image_width: int = 0, image_height: int = 0
    ) -> tuple[str, str, int, str, str]:
        return output_dir, filename_prefix, 1, "", filename_prefix

    for name in ("input", "output"):
        (stub.folder / name).mkdir(exist_ok=True)
    kinds = {
        "Image": _type("IMAGE"),
        "Mask": _type("MASK"),
        "Video": _type("VIDEO"),
        "Boolean": _type("BOOLEAN", _BooleanInput),
        "Int": _type("INT", _IntInput),
        "Float": _type("FLOAT", _FloatInput),
        "String": _type("STRING", _StringInput),
        "Combo": _type("COMBO", _ComboInput),
    }
    io = SimpleNamespace(
        **kinds, Custom=_type, Schema=Schema, ComfyNode=ComfyNode, NodeOutput=NodeOutput
    )
    contents: dict[str, dict[str, Any]] = {
        "comfy": {},
        "comfy.model_management": {"throw_exception_if_processing_interrupted": throw},
        "comfy_api": {},
        "comfy_api.latest": {
            "ComfyAPISync": ComfyAPISync,
            "ComfyExtension": ComfyExtension,
            "InputImpl": SimpleNamespace(VideoFromFile=VideoFromFile),
            "io": io,
        },
        "folder_paths": {
            "get_input_directory": lambda: str(stub.folder / "input"),
            "get_output_directory": lambda: str(stub.folder / "output"),
            "get_save_image_path": save_path,
        },
    }
    for name, members in contents.items():
        module = ModuleType(name)
        for member, value in members.items():
            setattr(module, member, value)
        monkeypatch.setitem(sys.modules, name, module)
    sys.modules["comfy"].model_management = sys.modules["comfy.model_management"]  # type: ignore
