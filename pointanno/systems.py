"""What a training system tells about itself without importing torch, and how the systems are found.

A system is installed by an entry point of the group ``pointanno.systems`` that names a
`SystemDescriptor`. The window and the command line read descriptors only; the network behind one is
imported by `SystemDescriptor.load` in worker processes.
"""

from __future__ import annotations

import difflib
import importlib
import tomllib
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_GROUP = "pointanno.systems"


@dataclass(frozen=True, slots=True)
class SystemDescriptor:
    """The light face of a system."""

    name: str
    """As on the command line: ``point_sup``."""
    title: str
    """As in the window."""
    package: str
    """Import name of its package, which holds ``recipes/*.toml``, ``limits.toml`` (optional) and the model card
    ``README.md``."""
    implementation: str
    """``module:class`` of the engine's side, imported in workers only."""
    supervisions: tuple[str, ...]
    """What ``--supervision`` accepts, the default first: "points", "masks"."""
    annotation: str
    """The annotation protocol that feeds it: "box_points", "single_point", ..."""
    output: str
    """"instances" or "panoptic"."""
    stages: tuple[str, ...]
    """All that there are; a recipe may use some of them."""
    metric: str
    """The metric by which the best checkpoint is chosen: "ap" or "pq"."""

    def recipes(self) -> tuple[str, ...]:
        """Names of the recipes that ship with the system."""
        folder = files(self.package) / "recipes"
        return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))

    def recipe_file(self, name: str) -> Traversable:
        """The TOML file of a recipe.

        Raises
        ------
        InputError
            If the system has no recipe of that name.
        """
        if name not in self.recipes():
            raise InputError(
                f"recipe {name!r}: {self.name} has {', '.join(self.recipes())}; name one of them or give the "
                "path of a .toml file"
            )
        return files(self.package) / "recipes" / f"{name}.toml"

    def limits(self) -> dict[str, Any]:
        """What the settings of a recipe may be, as the package's ``limits.toml`` has it; empty without that file."""
        file = files(self.package) / "limits.toml"
        return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}

    def model_card(self) -> str:
        """Text of the model card (Markdown)."""
        return (files(self.package) / "README.md").read_text(encoding="utf-8")

    def load(self) -> Any:
        """The class that the engine drives; imports torch.

        Raises
        ------
        InputError
            If torch or another package that the system needs cannot be imported.
        """
        module, _, attribute = self.implementation.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            raise InputError(
                f"system {self.name} could not be loaded: {error}. Run `pointanno doctor` to see which "
                "package is missing or broken"
            ) from error


def available_systems() -> tuple[str, ...]:
    """Names of the installed systems, sorted; imports none of them."""
    return tuple(sorted(point.name for point in entry_points(group=_GROUP)))


def load_system(name: str) -> SystemDescriptor:
    """Descriptor of an installed system.

    Raises
    ------
    InputError
        If no such system is installed; the message lists those that are.
    """
    for point in entry_points(group=_GROUP):
        if point.name == name.replace("-", "_"):
            descriptor = point.load()
            assert isinstance(descriptor, SystemDescriptor)
            return descriptor
    known = available_systems()
    near = difflib.get_close_matches(name.replace("-", "_"), known, n=1)
    hint = f"did you mean {near[0]}?" if near else "name one of them"
    raise InputError(f"system {name!r} is not installed: known are {', '.join(known) or 'none'}; {hint}")
