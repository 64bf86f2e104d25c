"""Making a run folder: everything is checked and frozen before a worker starts."""

from __future__ import annotations

import hashlib
import importlib
import platform
import shutil
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.runs.atomic import replace_file, replace_json
from pointanno.runs.channels import resolve_channels
from pointanno.runs.folder import RunFolder
from pointanno.systems import load_system

if TYPE_CHECKING:
    from pointanno.runs.arguments import TrainArguments
    from pointanno.systems import SystemDescriptor

_PACKAGES = ("pointanno", "torch", "torchvision", "lightning-fabric", "numpy", "pycocotools", "safetensors")


def versions() -> dict[str, str | None]:
    """Versions of what a result depends on, without importing any of it."""

    def of(name: str) -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return {"python": platform.python_version(), **{name: of(name) for name in _PACKAGES}}


def sha256_of(path: Path) -> str:
    """Hash of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def new_run_path(folder: Path, arguments: TrainArguments) -> Path:
    """A free name like ``2026-11-20_point_sup_small`` in a folder."""
    recipe = Path(arguments.recipe).stem
    stem = f"{time.strftime('%Y-%m-%d')}_{arguments.system.replace('-', '_')}_{recipe}"
    number = 1
    while True:
        path = folder / (stem if number == 1 else f"{stem}_{number}")
        if not path.exists():
            return path
        number += 1


def check_arguments(arguments: TrainArguments) -> tuple[SystemDescriptor, str]:
    """Refuse options that cannot work; the system and the supervision that they mean.

    Raises
    ------
    InputError
        One sentence that names the option.
    """
    arguments.check()
    descriptor = load_system(arguments.system)
    supervision = arguments.supervision or descriptor.supervisions[0]
    if supervision not in descriptor.supervisions:
        raise InputError(
            f"--supervision {supervision!r}: {descriptor.name} learns from {', '.join(descriptor.supervisions)}; "
            "choose one of these"
        )
    _read_recipe(descriptor, arguments)
    if arguments.init is not None:
        _check_init(RunFolder(arguments.init), descriptor.name)
    return descriptor, supervision


def _recipes() -> Any:
    """By name, since recipes belong to the systems' side and the core must not depend on it."""
    return importlib.import_module("pointanno_models.engine.recipe")


def _read_recipe(descriptor: SystemDescriptor, arguments: TrainArguments) -> tuple[dict[str, Any], str]:
    """The recipe with its overrides, and where it comes from."""
    recipe, origin = _recipes().read_recipe(descriptor, arguments.recipe)
    recipe = _recipes().apply_overrides(recipe, arguments.overrides, origin)
    _recipes().check_limits(recipe, descriptor.limits(), origin, overrides=arguments.overrides)
    return recipe, origin


def create_run(arguments: TrainArguments, path: Path) -> RunFolder:
    """Create a run folder with recipe, frozen data and environment; nothing is trained.

    Raises
    ------
    InputError
        If an option, the recipe or a file cannot be used, or the folder is taken; nothing is left behind.
    """
    arguments = arguments.absolute()
    path = path.expanduser().absolute()
    descriptor, supervision = check_arguments(arguments)
    recipe, origin = _read_recipe(descriptor, arguments)
    if path.exists() and (not path.is_dir() or any(path.iterdir())) and not _is_half_made(path):
        raise InputError(f"{path}: the run folder exists already; give another --run, or add --resume to go on with it")
    # read once more by the worker; here so that a broken file is named as its owner knows it, and leaves no run
    dataset = read_dataset(arguments.data)
    recipe = resolve_channels(recipe, dataset.images, arguments.images)
    existed = path.exists()
    environment = {
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "system": descriptor.name,
        "supervision": supervision,
        "seed": arguments.seed,
        "images": str(arguments.images),
        "recipe": {"name": arguments.recipe, "origin": origin, "overrides": list(arguments.overrides)},
        "versions": versions(),
        "platform": platform.platform(),
        "command": sys.argv,
        "arguments": arguments.to_dict(),
        "data": {
            "source": str(arguments.data),
            "images": len(dataset.images),
            "boxes": len(dataset.instances),
            "clicks": sum(len(target.points) for target in dataset.targets),
        },
    }
    del dataset
    try:
        path.mkdir(parents=True, exist_ok=True)
        _fill(path, arguments, environment, _recipes().recipe_to_toml(recipe, origin))
    except OSError as error:
        if not existed:
            shutil.rmtree(path, ignore_errors=True)
        raise InputError(
            f"{path}: the run folder could not be written ({error.strerror}); choose a folder that you may write "
            "to, with free space"
        ) from error
    return RunFolder(path)


def _is_half_made(path: Path) -> bool:
    """Whether a folder is what a process that was killed in `create_run` left: no run yet, and nobody's work."""
    if not path.is_dir() or not {"checkpoints", "preview"} <= (names := {file.name for file in path.iterdir()}):
        return False
    is_empty = not any((path / "checkpoints").iterdir()) and not any((path / "preview").iterdir())
    made = {"checkpoints", "preview", "recipe.toml", "data.json", "data"}
    return is_empty and all(name in made or name.endswith(".part") for name in names)


def _fill(path: Path, arguments: TrainArguments, environment: dict[str, Any], recipe: str) -> None:
    """Write the files; ``environment.json`` last, because it is what makes the folder a run."""
    (path / "checkpoints").mkdir(exist_ok=True)
    (path / "preview").mkdir(exist_ok=True)
    replace_file(path / "recipe.toml", recipe.encode())
    shutil.copyfile(arguments.data, path / "data.json")
    segments = arguments.data.with_suffix("")
    if segments.is_dir() and b'"segments_info"' in arguments.data.read_bytes():
        # COCO panoptic keeps its truth in PNG files beside the JSON, in a folder of the same name
        shutil.copytree(segments, path / "data", dirs_exist_ok=True)
    environment["data"]["sha256"] = sha256_of(path / "data.json")
    replace_json(path / "environment.json", environment)


def _check_init(run: RunFolder, system: str) -> None:
    if run.environment().get("system") != system:
        raise InputError(
            f"--init {run.path}: that run trained {run.environment().get('system')}, not {system}; "
            "weights of another system do not fit"
        )
    if run.best_checkpoint() is None:
        raise InputError(f"--init {run.path}: that run has no checkpoint yet; wait for one or name another run")
