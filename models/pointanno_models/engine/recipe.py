"""Recipes as mappings: read, compared with the one that ships, changed by ``--set``, written. Torch-free.

A system turns the mapping into its frozen records afterwards; what is refused here is refused before a
run folder exists, in the words of the file that the user wrote.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pointanno.systems import SystemDescriptor

Recipe = dict[str, Any]


def read_recipe(descriptor: SystemDescriptor, name: str) -> tuple[Recipe, str]:
    """A recipe by name or by file, with the name that messages give it.

    Raises
    ------
    InputError
        If there is no such recipe, or a file has other keys or types than the recipes that ship.
    """
    if name in descriptor.recipes():
        file = descriptor.recipe_file(name)
        return tomllib.loads(file.read_text(encoding="utf-8")), f"{descriptor.name}/recipes/{name}.toml"
    path = Path(name).expanduser()
    if path.suffix != ".toml" and not path.exists():
        near = difflib.get_close_matches(name, descriptor.recipes(), n=1)
        hint = f"did you mean {near[0]}?" if near else "or give the path of a .toml file"
        raise InputError(f"--recipe {name!r}: {descriptor.name} has {', '.join(descriptor.recipes())}; {hint}")
    try:
        recipe = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: the recipe could not be read ({error.strerror}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a TOML file: {error}. Copy a recipe that ships and change that") from error
    shipped = descriptor.recipes()
    if shipped:
        # all recipes of a system have the same keys
        template = tomllib.loads(descriptor.recipe_file(shipped[-1]).read_text(encoding="utf-8"))
        check_recipe(recipe, template, str(path))
    return recipe, str(path)


def flatten(table: Mapping[str, Any], at: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and their values, tables opened."""
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{at}{key}.")
        else:
            yield f"{at}{key}", value


def check_recipe(recipe: Mapping[str, Any], template: Mapping[str, Any], file: str) -> None:
    """Refuse a recipe whose keys or types differ from the template's.

    Raises
    ------
    InputError
        Names file, key and the nearest valid key.
    """
    found, expected = dict(flatten(recipe)), dict(flatten(template))
    for key in found:
        if key not in expected:
            raise InputError(f"{file}: unknown setting {key}; {_nearest(key, expected)}")
    for key, value in expected.items():
        if key not in found:
            raise InputError(f"{file}: the setting {key} is missing; add it (the shipped recipe has {value!r})")
        _check_type(found[key], value, f"{file}: {key}")


def apply_overrides(recipe: Recipe, overrides: Iterable[str], file: str) -> Recipe:
    """A copy of the recipe with values changed by ``key=value``.

    Values are read as TOML where that gives the type that the recipe has, else as plain text.

    Raises
    ------
    InputError
        For a word without ``=``, an unknown key or a value of another type.
    """
    changed = _copy(recipe)
    expected = dict(flatten(recipe))
    for override in overrides:
        key, equals, text = override.partition("=")
        key, text = key.strip(), text.strip()
        if not equals:
            raise InputError(f"--set {override!r}: expected key=value, as in --set train.batch_size=8")
        if key not in expected:
            raise InputError(f"--set {override!r}: {file} has no setting {key!r}; {_nearest(key, expected)}")
        table = changed
        *path, last = key.split(".")
        for part in path:
            table = table[part]
        table[last] = _parse(text, expected[key], f"--set {override!r}: {key}")
    return changed


def check_limits(
    recipe: Mapping[str, Any], limits: Mapping[str, Any], file: str, *, overrides: Iterable[str] = ()
) -> None:
    """Refuse values that no training can use.

    Parameters
    ----------
    recipe : mapping
        Of the right keys and types.
    limits : mapping
        Tables as in the recipe: the smallest and largest number, also of each number of a list, or all words that a
        text may be. Keys without limits may be anything.
    file, overrides
        Where the values come from, for messages.

    Raises
    ------
    InputError
        Names where, key and what is valid.
    """
    values = dict(flatten(recipe))
    changed = {override.partition("=")[0].strip(): override for override in overrides}
    for key, limit in flatten(limits):
        if key not in values:  # a recipe from before that setting
            continue
        found = values[key] if isinstance(values[key], list) else [values[key]]
        for value in found:
            if isinstance(limit[0], str):
                is_valid, wanted = value in limit, f"{', '.join(limit[:-1])} or {limit[-1]}"
            else:
                is_valid, wanted = limit[0] <= value <= limit[1], f"from {limit[0]} to {limit[1]}"
                if limit[1] == math.inf:
                    wanted = f"at least {limit[0]}"
            if not is_valid:
                where = f"--set {changed[key]!r}" if key in changed else file
                raise InputError(f"{where}: {key} must be {wanted}, but is {value!r}")


def recipe_to_toml(recipe: Mapping[str, Any], origin: str) -> str:
    """Text of ``recipe.toml`` in a run folder."""
    return f"# The settings of this run: {origin}, with the overrides that environment.json lists.\n" + tomli_w.dumps(
        recipe
    )


def _copy(table: Recipe) -> Recipe:
    return {key: _copy(value) if isinstance(value, dict) else value for key, value in table.items()}


def _nearest(key: str, known: Iterable[str]) -> str:
    """What to say about an unknown key."""
    known = list(known)
    near = difflib.get_close_matches(key, known, n=1)
    if not near:  # the last part may be right and the table wrong or missing
        near = [name for name in known if name.rsplit(".", 1)[-1] == key.rsplit(".", 1)[-1]]
    if not near:
        leaves = {name.rsplit(".", 1)[-1]: name for name in known}
        near = [leaves[leaf] for leaf in difflib.get_close_matches(key.rsplit(".", 1)[-1], list(leaves), n=1)]
    return f"did you mean {near[0]}?" if near else f"valid are {', '.join(known)}"


def _parse(text: str, existing: Any, where: str) -> Any:
    """A value from the command line, of the type that the recipe has."""
    if isinstance(existing, str):
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            return text
        return value if isinstance(value, str) else text
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    return _check_type(value, existing, where)


def _check_type(value: Any, existing: Any, where: str) -> Any:
    """The value, an integer made a float where floats are expected."""
    if isinstance(existing, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(existing):
        words = {bool: "true or false", int: "an integer", float: "a number", str: "text", list: "a list [a, b, ...]"}
        wanted = words.get(type(existing), type(existing).__name__)
        raise InputError(f"{where} must be {wanted} (the recipe has {existing!r}), but is {value!r}")
    if isinstance(existing, list) and existing:
        return [_check_type(item, existing[0], f"{where}[{index}]") for index, item in enumerate(value)]
    return value
