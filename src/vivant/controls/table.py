"""The one table of controls. Command line, help, Python, JSON, records, capabilities: all of
them read it, so a new control is one new module and one line here."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from vivant.controls import (
    aspect,
    camera,
    depth,
    edits,
    finish,
    flow,
    fov,
    given,
    kinds,
    layer,
    light,
    like,
    loop,
    mask,
    path_file,
    prompt,
    sampling,
    start,
    strength,
    stroke,
    transition,
    wind,
    words,
)
from vivant.controls.entry import Control, Entry, Option
from vivant.errors import UsageError
from vivant.records import check_members, from_data, to_data

TABLE: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        loop.ENTRY,
        strength.ENTRY,
        mask.STILL,
        mask.MOVE,
        kinds.HOLD,
        kinds.MOVE,
        stroke.ENTRY,
        flow.ENTRY,
        wind.ENTRY,
        camera.ENTRY,
        path_file.ENTRY,
        fov.ENTRY,
        depth.ENTRY,
        light.ENTRY,
        layer.ENTRY,
        aspect.ENTRY,
        given.ENTRY,
        like.ENTRY,
        transition.ENTRY,
        words.ENTRY,
        sampling.STEPS,
        sampling.GUIDANCE,
        finish.RENDERED,
        finish.STEADY,
        start.DRAFT,
        start.NOISE,
        *edits.ENTRIES,
    )
}
TAG = "control"
"""The member of a control's JSON object that holds its name."""


def entry_of(control: Control) -> Entry:
    """The row of a control. Raises UsageError where the table has none."""
    for entry in TABLE.values():
        if type(control) is entry.kind:
            return entry
    raise UsageError(f"{type(control).__name__} is no control of this version.")


def options() -> tuple[Option, ...]:
    """Every option, in the table's order, and the prompt, which yields controls of all of them."""
    own = tuple(option for entry in TABLE.values() for option in entry.options)
    return (*own, prompt.OPTION)


def control_data(control: Control) -> dict[str, Any]:
    """A control as a JSON object."""
    return {TAG: entry_of(control).name, **to_data(control)}


def control_from(data: Any) -> Control:
    """A control from its JSON object. Raises UsageError naming what is wrong."""
    if not isinstance(data, dict) or not isinstance(data.get(TAG), str):
        raise UsageError(f'A control must be an object like {{"{TAG}": "loop"}}.')
    if data[TAG] not in TABLE:
        raise UsageError(f"There is no control {data[TAG]!r}; known are {', '.join(TABLE)}.")
    entry = TABLE[data[TAG]]
    check_members(data, {TAG, *(f.name for f in fields(entry.kind))}, f"control {entry.name}")
    rest = {name: value for name, value in data.items() if name != TAG}
    control: Control = from_data(entry.kind, rest, f"control {entry.name}")
    return control


def check_together(controls: tuple[Control, ...]) -> None:
    """Raises UsageError where a control that can be given once is given again, or where a kind is
    to hold and to move."""
    seen: set[str] = set()
    for control in controls:
        entry = entry_of(control)
        if entry.name in seen and not entry.repeats:
            flag = entry.options[0].flag if entry.options else entry.name
            raise UsageError(f"{flag} can be given only once.")
        seen.add(entry.name)
    strength.strengths(c for c in controls if isinstance(c, strength.Strength))
    flow.flows(c for c in controls if isinstance(c, flow.Flow))
    _check_held(controls)


def _check_held(controls: tuple[Control, ...]) -> None:
    held = {c.kind for c in controls if isinstance(c, kinds.HoldKind)}
    for control in controls:
        if not isinstance(control, kinds.MoveKind | flow.Flow | strength.Strength):
            continue
        idle = isinstance(control, strength.Strength) and control.factor in (0, 1)
        if control.kind in held and not idle:
            flag = entry_of(control).options[0].flag
            raise UsageError(
                f"The {control.kind} is to hold (--hold) and to move ({flag}); leave one out."
            )


def words_of(control: Control) -> tuple[str, ...]:
    """The words of the command line that ask for a control."""
    return entry_of(control).write(control)
