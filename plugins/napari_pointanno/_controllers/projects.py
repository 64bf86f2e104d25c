"""Making and opening projects from what a person typed; no window."""

from __future__ import annotations

import os
from pathlib import Path

from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.project.opening import DATABASE, SUFFIX
from pointanno.project.scan import Progress

DEMO_SCENES, DEMO_SIZE, DEMO_SEED = 8, 256, 1


def default_project(images: Path) -> Path:
    """Where a new project goes if nobody says: beside the images, else into the home folder."""
    stem = images.stem if images.suffix.lower() == ".json" else images.name
    if stem == "images":
        stem = images.parent.name
    parent = images.parent
    if not os.access(parent, os.W_OK):
        parent = Path.home() / "pointanno"
    return parent / f"{stem}.pointanno"


def images_of_coco(file: Path) -> Path:
    """The folder of a COCO file's pictures: ``images`` beside it, else the folder of its own name or its own folder."""
    for folder in (file.parent / "images", file.with_suffix("")):
        if folder.is_dir():
            return folder
    return file.parent


def create_project(source: str, destination: str, progress: Progress | None = None) -> Project:
    """A new project from a folder of images or a COCO JSON.

    Parameters
    ----------
    source : str
        Path of a folder, or of a COCO file whose pictures lie beside it.
    destination : str
        Path of the project; empty for the default.
    progress : callable or None
        Told how many of how many pictures are done; what it raises ends the work, and nothing is left behind.

    Raises
    ------
    InputError
        In words, if one of them cannot be used.
    """
    path = Path(source).expanduser()
    if not path.exists():
        raise InputError(f"{path}: there is no such file or folder; give a folder of images or a COCO .json")
    target = Path(destination).expanduser() if destination else default_project(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"{target.parent}: the folder of the project cannot be made ({error.strerror}); choose a place of your own"
        ) from error
    if path.is_dir():
        return Project.create(target, images=path, progress=progress)
    if path.suffix.lower() != ".json":
        raise InputError(f"{path}: neither a folder of images nor a COCO .json; give one of these")
    return Project.create(target, images=images_of_coco(path), coco=path, progress=progress)


def open_project(path: str) -> Project:
    """An existing project, for writing.

    Raises
    ------
    InputError
        In words.
    """
    if not path:
        raise InputError("project: no path was given; type or paste the path of a .pointanno folder")
    return Project.open(Path(path).expanduser())


def project_at(path: Path) -> Path | None:
    """The project that a dropped path stands for: itself, or the one made of these images before."""
    if path.name == DATABASE:
        return path.parent
    if path.suffix == SUFFIX or (path / DATABASE).is_file():
        return path
    made = default_project(path)
    return made if (made / DATABASE).is_file() else None


def relocate(project: Project, folder: str, progress: Progress | None = None) -> list[str]:
    """Say where the pictures of a project are now; a sentence for each that is not there.

    Raises
    ------
    InputError
        If no path was given, or the folder holds none of the pictures.
    """
    if not folder:
        raise InputError("pictures: no path was given; type or paste the path of the folder that holds them now")
    return project.relocate(Path(folder).expanduser(), progress=progress)


def demo_project(folder: Path | None = None) -> Project:
    """The demonstration project, made on first use: generated scenes with things and stuff.

    Parameters
    ----------
    folder : Path or None
        Where it lies; None is the user's data folder.
    """
    from pointanno.scenes import CATEGORIES, write_scenes

    if folder is None:
        from platformdirs import user_data_path

        folder = user_data_path("pointanno", appauthor=False, ensure_exists=True) / "demo"
    path = folder / "scenes.pointanno"
    if path.exists():
        return Project.open(path)
    write_scenes(folder, count=DEMO_SCENES, size=DEMO_SIZE, seed=DEMO_SEED)
    return Project.create(path, images=folder / "images", categories=CATEGORIES)
