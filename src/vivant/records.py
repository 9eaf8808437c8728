"""Frozen dataclasses to plain JSON data and back, strictly: nothing is guessed or dropped."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from vivant.errors import UsageError

Record = TypeVar("Record")


def to_data(record: Any) -> Any:
    """JSON-able data of a dataclass: objects, lists, numbers, texts."""
    return msgspec.to_builtins(record)


def from_data(kind: type[Record], data: Any, what: str) -> Record:
    """The dataclass ``kind`` from ``data``; ``what`` names it in errors.

    Raises UsageError for unknown or missing members, wrong types and refused values.
    """
    check_members(data, {field.name for field in fields(kind)}, what)  # type: ignore[arg-type]
    _check_nested(kind, data, what)
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise UsageError(f"The {what} is not understood: {error}.") from error


def _check_nested(kind: Any, data: dict[str, Any], what: str) -> None:
    """Raises UsageError where records within a record have unknown members, which the converter
    would drop."""
    hints = get_type_hints(kind)
    for name, value in data.items():
        for inner in (hints[name], *get_args(hints[name])):
            if is_dataclass(inner):
                for row in value if isinstance(value, list) else [value]:
                    if isinstance(row, dict):
                        known = {field.name for field in fields(inner)}
                        check_members(row, known, f"{name} of the {what}")
                        _check_nested(inner, row, what)


def check_members(data: Any, known: set[str], what: str) -> None:
    """Raises UsageError where ``data`` is no object, or has members besides ``known``."""
    if not isinstance(data, dict):
        raise UsageError(f"The {what} must be an object, not {type(data).__name__}.")
    if unknown := sorted(set(map(str, data)) - known):
        raise UsageError(
            f"The {what} has no member {unknown[0]!r}; known are {', '.join(sorted(known))}."
        )


def is_record(value: Any) -> bool:
    """Whether ``value`` is an instance of a dataclass."""
    return is_dataclass(value) and not isinstance(value, type)
