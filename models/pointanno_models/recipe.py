"""From the tables of a recipe file to the frozen records of a system."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

Record = TypeVar("Record")


def recipe_from_mapping(record: type[Record], table: Mapping[str, Any], file: str, *, at: str = "") -> Record:
    """Fill a dataclass, and those inside it, from nested tables.

    Parameters
    ----------
    record : dataclass type
        Fields are dataclasses, numbers, strings, booleans or tuples of these.
    table : mapping
        One value for every field; a field that has a default may be absent, so that the recipe of an older run
        stays readable.
    file : str
        Named in messages.
    at : str
        Dotted path of this table inside the file.

    Raises
    ------
    InputError
        For an unknown or missing key, a value of the wrong type, or one that the record refuses by a ValueError;
        names file, key and what is valid.
    """
    hints = typing.get_type_hints(record)
    fields: tuple[dataclasses.Field[Any], ...] = dataclasses.fields(record)  # type: ignore[arg-type]
    names = [field.name for field in fields]
    where = f"{at}." if at else ""
    for key in table:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean {where}{near[0]}?" if near else f"valid here: {', '.join(names)}"
            raise InputError(f"{file}: the recipe has no setting {where}{key}; {hint}")
    values: dict[str, Any] = {}
    for field in fields:
        name = field.name
        if name in table:
            values[name] = _convert(hints[name], table[name], file, f"{where}{name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{file}: the recipe lacks the setting {where}{name}; add it, as in the recipe 'small'")
    try:
        return record(**values)
    except ValueError as error:
        raise InputError(f"{file}: {where}{error}") from error


def _convert(hint: Any, value: Any, file: str, at: str) -> Any:
    """One value as its field wants it."""
    if dataclasses.is_dataclass(hint):
        if not isinstance(value, dict):
            raise InputError(f"{file}: {at} must be a table of settings, but is {value!r}")
        return recipe_from_mapping(typing.cast("type[Any]", hint), value, file, at=at)
    if typing.get_origin(hint) is tuple:
        return _convert_list(typing.get_args(hint), value, file, at)
    if isinstance(hint, types.UnionType):
        raise TypeError(f"{at}: unions are not supported in recipes")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise InputError(f"{file}: {at} must be of type {hint.__name__}, but is {value!r}")
    return value


def _convert_list(items: tuple[Any, ...], value: Any, file: str, at: str) -> tuple[Any, ...]:
    """A list as a tuple, of any length if the field says ``tuple[X, ...]``, else of exactly that one."""
    if not isinstance(value, list | tuple):
        raise InputError(f"{file}: {at} must be a list, but is {value!r}")
    if items[-1] is Ellipsis:
        return tuple(_convert(items[0], item, file, f"{at}[{index}]") for index, item in enumerate(value))
    if len(value) != len(items):
        raise InputError(f"{file}: {at} must have {len(items)} entries, but has {len(value)}")
    return tuple(
        _convert(hint, item, file, f"{at}[{index}]")
        for index, (hint, item) in enumerate(zip(items, value, strict=True))
    )
