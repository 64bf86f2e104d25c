"""Points as BESTIE reads them: one text file for each picture, one line `x y class confidence` for each object.

x and y are pixel indices, the class counts from 0 among the things in the order of their ids. A folder of such
files says neither the sizes of the pictures nor the names of the classes, so reading needs both from elsewhere;
folders that were exported here name their classes in the hidden list of their files.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from pointanno.dataset import Category, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats.clicked_objects import chosen, clicked_objects, medoid
from pointanno.formats.folder import read_list, write_folder
from pointanno.formats.picture_names import PictureFinder, left_out, short_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pointanno.dataset import Image

LEAST_CONFIDENCE: Final = 0.7
"""The published training drops points that are not more confident than this; they come in as unsure."""

LARGEST_COUNT: Final = 128
"""Points of one class in a picture that the published loader has room for."""


def narrow(dataset: PointDataset) -> PointDataset:
    """What the format keeps: of each object the positive point in the midst of its positive ones."""
    things = [target for target in clicked_objects(dataset) if target.isthing]
    targets = tuple(
        replace(target, id=number, points=chosen(target.points, [medoid(target.points)]))
        for number, target in enumerate(things, start=1)
    )
    return replace(dataset, instances=(), targets=targets, points_per_instance=None)


def warnings(dataset: PointDataset) -> tuple[str, ...]:
    """What the published loader makes of what `narrow` keeps."""
    on_edge = sum(bool((target.points.coords == 0).any()) for target in dataset.targets)
    counts: dict[tuple[int, int], int] = {}
    for target in dataset.targets:
        key = (target.image_id, target.category_id)
        counts[key] = counts.get(key, 0) + 1
    found = []
    if on_edge:
        found.append(f"{on_edge} points lie in the first row or column; the published loader passes over such points")
    if counts and max(counts.values()) > LARGEST_COUNT:
        found.append(
            f"an image has {max(counts.values())} points of one class, but the published loader holds {LARGEST_COUNT}"
        )
    return tuple(found)


def format_lines(targets: Iterable[Target], ranks: dict[int, int]) -> str:
    """The text of a picture.

    Parameters
    ----------
    targets
        Of one picture, with one point each.
    ranks
        Class index by category id.
    """
    lines = []
    for target in targets:
        x, y = target.points.coords[0].tolist()
        lines.append(f"{float(x)} {float(y)} {ranks[target.category_id]} 1.0\n")
    return "".join(lines)


def parse_lines(
    text: str, image: Image, classes: Sequence[Category], where: str, *, first: int = 1
) -> Iterator[Target]:
    """Objects of a picture.

    Parameters
    ----------
    text
        Content of its file.
    image
        The picture.
    classes
        By class index.
    where
        Name of the file, for sentences.
    first
        Id of the first target.

    Raises
    ------
    InputError
        At the first line that is broken.
    """
    number = 0
    for line_number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        place = f"{where}, line {line_number}"
        fields = line.split()
        if len(fields) != 4:
            raise InputError(
                f"{place}: expected x, y, class index and confidence with spaces between, but got"
                f" {line.strip()[:60]!r}; correct the line"
            )
        x = _pixel(fields[0], image.width, f"{place}, x")
        y = _pixel(fields[1], image.height, f"{place}, y")
        category = _class_of(fields[2], classes, place)
        confidence = _number(fields[3], f"{place}, confidence")
        if not 0 <= confidence <= 1:
            raise InputError(f"{place}, confidence: expected a number from 0 to 1, but got {fields[3]}; correct it")
        label = 1 if confidence > LEAST_CONFIDENCE else -1
        yield Target(
            id=first + number,
            image_id=image.id,
            category_id=category.id,
            isthing=True,
            instance=number + 1,
            points=Points.answered(np.array([[x, y]]), np.array([label]), source="imported"),
            extra={} if confidence == 1 else {"confidence": confidence},
        )
        number += 1


def write(dataset: PointDataset, path: str | Path) -> None:
    """Write the folder, one text for each picture, also for those without objects."""
    write_folder(path, "bestie-txt", _files(narrow(dataset)), {"classes": [one.name for one in _things(dataset)]})


def _files(dataset: PointDataset) -> Iterator[tuple[str, bytes]]:
    names = short_names(dataset.images)
    ranks = {category.id: rank for rank, category in enumerate(_things(dataset))}
    by_image: dict[int, list[Target]] = {image.id: [] for image in dataset.images}
    for target in dataset.targets:
        by_image[target.image_id].append(target)
    for image in dataset.images:
        yield f"{names[image.id]}.txt", format_lines(by_image[image.id], ranks).encode()


def read(path: str | Path) -> PointDataset:
    """Refuse, because the files say neither the sizes of the pictures nor the classes."""
    raise InputError(
        f"{path}: bestie-txt says neither the sizes of the pictures nor the names of the classes; "
        "import it into a project that has them"
    )


def read_onto(path: str | Path, pictures: PointDataset) -> tuple[PointDataset, tuple[str, ...]]:
    """Data set of a folder of texts, and sentences about what has no picture.

    Parameters
    ----------
    path
        The folder, or one of its files.
    pictures
        Has the pictures and the classes.

    Raises
    ------
    InputError
        At the first error, with file, line and field.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such folder; check the name")
    folder = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
    if not files:
        raise InputError(f"{path}: the folder holds no .txt files; name the folder of the points")
    classes, categories = _classes(read_list(folder).get("classes"), pictures)
    finder = PictureFinder(pictures.images)
    images: dict[int, Image] = {}
    targets: list[Target] = []
    unknown = []
    for file in files:
        name = file.relative_to(folder).as_posix().removesuffix(".txt")
        image = finder.find(name)
        if image is None:
            unknown.append(name)
            continue
        if image.id in images:
            raise InputError(f"{file}: the image {image.file_name} is meant by another file too; keep one of them")
        images[image.id] = image
        try:
            text = file.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise InputError(f"{file}: not a text in UTF-8; save it as UTF-8") from None
        except OSError as error:
            raise InputError(f"{file}: the file may not be read ({error.strerror}); change its permissions") from None
        targets += parse_lines(text, image, classes, str(file), first=len(targets) + 1)
    dataset = PointDataset(images=tuple(images.values()), categories=categories, targets=tuple(targets))
    return dataset, left_out(unknown)


def _things(dataset: PointDataset) -> list[Category]:
    """Classes of countable objects in the order of their index."""
    return sorted((one for one in dataset.categories if one.isthing), key=lambda one: one.id)


def _classes(named: object, pictures: PointDataset) -> tuple[list[Category], tuple[Category, ...]]:
    """Classes by index, and all of them: those of the pictures, and new ones if the folder names others."""
    if not isinstance(named, list) or not all(isinstance(name, str) for name in named):
        return _things(pictures), pictures.categories
    known = {category.name: category for category in pictures.categories}
    next_id = max((category.id for category in pictures.categories), default=0) + 1
    for name in named:
        if name not in known:
            known[name] = Category(next_id, name, True)
            next_id += 1
    return [known[name] for name in named], tuple(known.values())


def _number(text: str, place: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{place}: expected a number, but got {text[:60]!r}; correct it")
    return value


def _pixel(text: str, size: int, place: str) -> int:
    """The pixel that holds a position."""
    value = math.floor(_number(text, place))
    if not 0 <= value < size:
        raise InputError(f"{place}: {text} lies outside of the image, which has {size} pixels there; correct it")
    return value


def _class_of(text: str, classes: Sequence[Category], place: str) -> Category:
    if not text.isascii() or not text.isdigit() or int(text) >= len(classes):
        known = ", ".join(f"{rank} = {one.name}" for rank, one in enumerate(classes[:10])) or "there are none"
        raise InputError(
            f"{place}, class index: expected an index of the things ({known}), but got {text[:60]!r};"
            " correct it or add the class"
        )
    return classes[int(text)]
