"""Point labels as Open Images V7 has them: one row for each answer "is this class at this point?".

Positions are shares of width and height, so reading needs the sizes of the pictures from elsewhere. The table knows
no objects: points of one object come back as objects of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from pointanno.coords import continuous_to_index, index_to_continuous
from pointanno.dataset import ANSWERED, BACKGROUND, IGNORED, OBJECT, Category, PointDataset, Points, Target
from pointanno.errors import InputError
from pointanno.formats.clicked_objects import chosen
from pointanno.formats.csv_file import read_rows, write_rows
from pointanno.formats.picture_names import PictureFinder, left_out, short_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pointanno.dataset import Image
    from pointanno.formats.csv_file import Row

COLUMNS = (
    *("ImageId", "X", "Y", "Label", "EstimatedYesNo"),
    *("Source", "YesVotes", "NoVotes", "UnsureVotes", "TextLabel"),
)
"""Names of the columns in the order of the published files."""

REQUIRED = COLUMNS[:5]
"""Without these a table is not read."""

VOTES_KEY = "open_images_votes"
"""Key of `Target.extra` with the votes for yes, no and unsure, where more or fewer than one person answered."""

_ANSWERS = {OBJECT: "yes", BACKGROUND: "no", IGNORED: "unsure"}
_LABELS = {word: label for label, word in _ANSWERS.items()}
_VOTES = {OBJECT: (1, 0, 0), BACKGROUND: (0, 1, 0), IGNORED: (0, 0, 1)}
_DECIMALS = 9


def narrow(dataset: PointDataset) -> PointDataset:
    """What the format keeps: every point that was answered, with yes, no or unsure, as one of its own."""
    order = {image.id: position for position, image in enumerate(dataset.images)}
    isthing = {category.id: category.isthing for category in dataset.categories}
    records = [one for one in dataset.instances if not one.iscrowd] + list(dataset.targets)
    numbers = dict.fromkeys(order, 0)
    targets: list[Target] = []
    for record in sorted(records, key=lambda one: order[one.image_id]):
        is_object = isthing[record.category_id]
        for index, status in enumerate(record.points.status):
            if status not in (ANSWERED, "unsure"):
                continue
            numbers[record.image_id] += is_object
            targets.append(
                Target(
                    id=len(targets) + 1,
                    image_id=record.image_id,
                    category_id=record.category_id,
                    isthing=is_object,
                    instance=numbers[record.image_id] if is_object else 0,
                    points=chosen(record.points, [index]),
                    extra={VOTES_KEY: record.extra[VOTES_KEY]} if _has_votes(record.extra) else {},
                )
            )
    return replace(dataset, instances=(), targets=tuple(targets), points_per_instance=None)


def dataset_to_rows(dataset: PointDataset) -> Iterator[tuple[Any, ...]]:
    """Rows of what `narrow` keeps, in the order of `COLUMNS`."""
    images = {image.id: image for image in dataset.images}
    names = short_names(dataset.images)
    classes = {category.id: category.name for category in dataset.categories}
    for target in dataset.targets:
        image = images[target.image_id]
        x, y = index_to_continuous(target.points.coords[0]).tolist()
        label = int(target.points.labels[0])
        name = classes[target.category_id]
        yield (
            *(names[image.id], round(x / image.width, _DECIMALS), round(y / image.height, _DECIMALS)),
            *(name, _ANSWERS[label], target.points.source[0]),
            *target.extra.get(VOTES_KEY, _VOTES[label]),
            name,
        )


def write(dataset: PointDataset, path: str | Path) -> None:
    """Write the table."""
    write_rows(path, COLUMNS, dataset_to_rows(narrow(dataset)))


def read(path: str | Path) -> PointDataset:
    """Refuse, because the table does not say the sizes of the pictures."""
    raise InputError(
        f"{path}: openimages-csv gives positions as shares of width and height but not the sizes of the pictures; "
        "import it into a project that has them"
    )


def read_onto(path: str | Path, pictures: PointDataset) -> tuple[PointDataset, tuple[str, ...]]:
    """Data set of a table, and sentences about pictures that are not known.

    A class is known by `Label` or else by `TextLabel`; new ones are taken for things.

    Parameters
    ----------
    path
        The table.
    pictures
        Has the pictures and the classes.

    Raises
    ------
    InputError
        At the first error, with file, line and column.
    """
    finder = PictureFinder(pictures.images)
    classes = {category.name: category for category in pictures.categories}
    images: dict[int, Image] = {}
    numbers: dict[int, int] = {}
    targets: list[Target] = []
    unknown: dict[str, None] = {}
    for row in read_rows(path, REQUIRED):
        name = row.required("ImageId")
        image = finder.find(name)
        if image is None:
            unknown[name] = None
            continue
        images[image.id] = image
        category = _class_of(row, classes)
        numbers[image.id] = numbers.get(image.id, 0) + category.isthing
        targets.append(_target_of(row, image, category, len(targets) + 1, numbers[image.id]))
    dataset = PointDataset(images=tuple(images.values()), categories=tuple(classes.values()), targets=tuple(targets))
    return dataset, left_out(list(unknown))


def _class_of(row: Row, classes: dict[str, Category]) -> Category:
    """The class of a row; a new one is added to those known."""
    label = row.required("Label")
    name = label if label in classes else row.text("TextLabel") or label
    if name not in classes:
        classes[name] = Category(max((one.id for one in classes.values()), default=0) + 1, name, True)
    return classes[name]


def _target_of(row: Row, image: Image, category: Category, target_id: int, number: int) -> Target:
    """The point of a row."""
    label = _LABELS[row.choice("EstimatedYesNo", tuple(_LABELS))]
    coords = [_share(row, "X") * image.width, _share(row, "Y") * image.height]
    x, y = continuous_to_index(coords).tolist()
    votes = _votes_of(row, label)
    return Target(
        id=target_id,
        image_id=image.id,
        category_id=category.id,
        isthing=category.isthing,
        instance=number if category.isthing else 0,
        points=Points.answered(
            np.array([[min(x, image.width - 1), min(y, image.height - 1)]]),
            np.array([label]),
            source=row.text("Source") or "imported",
        ),
        extra={} if votes == _VOTES[label] else {VOTES_KEY: list(votes)},
    )


def _share(row: Row, column: str) -> float:
    """A position from 0 to 1; the far edge belongs to the last pixel."""
    value = row.number(column)
    if not 0 <= value <= 1:
        raise row.error(column, "a share of the picture from 0 to 1")
    return value


def _has_votes(extra: Mapping[str, Any]) -> bool:
    """Whether a record brought three numbers of votes along."""
    votes = extra.get(VOTES_KEY)
    return isinstance(votes, list) and len(votes) == 3 and all(type(vote) is int for vote in votes)


def _votes_of(row: Row, label: int) -> tuple[int, int, int]:
    """Votes for yes, no and unsure; those of a single person where the table does not tell."""
    columns = COLUMNS[6:9]
    if not any(row.text(column) for column in columns):
        return _VOTES[label]
    yes, no, unsure = (row.optional(column) or 0 for column in columns)
    return yes, no, unsure
