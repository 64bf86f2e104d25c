"""The writer of the manifest: stock Points and Shapes layers become one image of a COCO-point JSON.

What a layer of napari does not say is not guessed: without a picture there is no size, a background point
belongs to a box, and a shape that is no upright rectangle is no box. Each of these is refused in words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from pointanno.coords import index_to_continuous, napari_corners_to_box, napari_to_index
from pointanno.dataset import BACKGROUND, IGNORED, OBJECT, Box, Category, Image, Instance, PointDataset, Points, Target
from pointanno.errors import InputError

if TYPE_CHECKING:
    from napari.layers import Layer
    from numpy.typing import NDArray

FullLayerData = tuple[Any, dict[str, Any], str]

CLASS_COLUMNS: Final = ("class", "category", "label")
"""Features that hold the name of the class, the first that is there; without one it is the layer's name."""

ANSWER_COLUMNS: Final = ("label", "answer")
ANSWERS: Final = {"object": OBJECT, "background": BACKGROUND, "unsure": IGNORED, "skip": IGNORED}
CLICK: Final = "click"
SOURCE: Final = "imported"
"""Nobody knows who made a stock layer."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the layers lie on."""

    file_name: str
    image_size: tuple[int, int]
    layer: Layer | None = None


@dataclass(frozen=True, slots=True)
class _Point:
    where: str
    x: int
    y: int
    name: str
    answer: str
    uid: str
    instance: int


@dataclass(slots=True)
class _Rectangle:
    box: Box
    name: str
    uid: str
    points: list[_Point] = field(default_factory=list)


def write_points(path: str, layers: list[FullLayerData]) -> list[str]:
    """Write Points and Shapes layers as COCO-point JSON.

    Parameters
    ----------
    path : str
    layers : list of (data, attributes, type name)

    Returns
    -------
    list of str
        The path that was written.

    Raises
    ------
    InputError
        If a layer cannot be said in that format, with layer and row.
    """
    from pointanno.formats import FORMATS

    FORMATS["coco-point"].write(layers_to_dataset(layers, find_picture(layers)), Path(path))
    return [path]


def find_picture(layers: Sequence[FullLayerData]) -> Picture:
    """The picture that the layers belong to: named in their metadata, else the image of the viewer in front."""
    for _, attributes, _ in layers:
        metadata = attributes.get("metadata") or {}
        if "image_size" in metadata:
            height, width = (int(value) for value in metadata["image_size"])
            return Picture(str(metadata.get("file_name", f"{attributes.get('name', 'image')}.png")), (height, width))
    import napari
    from napari.layers import Image as ImageLayer

    viewer = napari.current_viewer()
    images = [layer for layer in viewer.layers if isinstance(layer, ImageLayer)] if viewer is not None else []
    advice = "open its picture in the same window, or set layer.metadata['image_size'] = (height, width)"
    if not images:
        raise InputError(f"points: no picture is open, so its height and width are not known; {advice}")
    shown = [layer for layer in images if layer.visible] or images
    sizes = {_image_size(layer) for layer in shown}
    if len(sizes) > 1:
        names = ", ".join(layer.name for layer in shown)
        raise InputError(f"points: the pictures {names} differ in size; hide all but the one that was annotated")
    layer = shown[0]
    if layer.ndim != 2:
        raise InputError(
            f"{layer.name}: the picture has {layer.ndim} dimensions, expected 2 (rows, columns); make a project of the "
            "stack (PointAnno: new project), which annotates it plane by plane"
        )
    source = layer.source.path
    file_name = Path(source).name if source else str(layer.metadata.get("file_name", f"{layer.name}.png"))
    return Picture(file_name, sizes.pop(), layer)


def _image_size(layer: Any) -> tuple[int, int]:
    """(height, width) of an Image layer at full resolution."""
    shape = layer.data[0].shape if layer.multiscale else layer.data.shape
    height, width = shape[-3:-1] if layer.rgb else shape[-2:]
    return int(height), int(width)


def layers_to_dataset(layers: Sequence[FullLayerData], picture: Picture) -> PointDataset:
    """The data set of one picture.

    Points without an answer are clicks: one target each for things, or for those of the same class and number in
    the feature `instance`; one for all of a class of stuff. Points with an answer belong to the box of the same
    `uid`, else to the smallest box of their class around them; an object without a box is a click as well.

    Raises
    ------
    InputError
        See `write_points`.
    """
    points: list[_Point] = []
    rectangles: list[_Rectangle] = []
    kinds: dict[str, bool] = {}
    for data, attributes, kind in layers:
        (_read_points(points, data, attributes, picture) if kind == "points" else
         _read_rectangles(rectangles, data, attributes, picture))  # fmt: skip
        _read_kinds(kinds, data, attributes)
    ids = {name: number for number, name in enumerate(kinds, start=1)}
    clicks = []
    for point in points:
        owner = None if point.answer == CLICK else _box_of(point, rectangles)
        if owner is not None:
            owner.points.append(point)
        elif point.answer in (CLICK, "object"):
            clicks.append(point)
        else:
            raise InputError(
                f"{point.where}: {point.answer!r} is an answer about a box, and no box of the class {point.name!r} "
                "lies around it; save the Shapes layer with its boxes together with the points"
            )
    height, width = picture.image_size
    return PointDataset(
        images=(Image(1, picture.file_name, height, width),),
        categories=tuple(Category(ids[name], name, isthing) for name, isthing in kinds.items()),
        instances=tuple(
            Instance(number, 1, ids[one.name], one.box, _points(one.points), box_source=SOURCE)
            for number, one in enumerate(rectangles, start=1)
        ),
        targets=_targets(clicks, kinds, ids),
    )


def _targets(clicks: Sequence[_Point], kinds: dict[str, bool], ids: dict[str, int]) -> tuple[Target, ...]:
    """Clicks of one thing together, and all clicks of a class of stuff."""
    groups: dict[tuple[str, int], list[_Point]] = {}
    for number, point in enumerate(clicks):
        own = point.instance or -1 - number  # no number: an object of its own
        groups.setdefault((point.name, own if kinds[point.name] else 0), []).append(point)
    return tuple(
        Target(number, 1, ids[name], kinds[name], number if kinds[name] else 0, _points(members))
        for number, ((name, _), members) in enumerate(groups.items(), start=1)
    )


def _points(points: Sequence[_Point]) -> Points:
    count = len(points)
    return Points(
        coords=np.array([(point.x, point.y) for point in points], dtype=np.int32).reshape(count, 2),
        labels=np.array([ANSWERS.get(point.answer, OBJECT) for point in points], dtype=np.int8),
        status=tuple("ok" if ANSWERS.get(point.answer, OBJECT) != IGNORED else point.answer for point in points),
        times_ms=(None,) * count,
        annotator=(None,) * count,
        session=(None,) * count,
        source=(SOURCE,) * count,
    )


def _box_of(point: _Point, rectangles: Sequence[_Rectangle]) -> _Rectangle | None:
    """The box an answer is about."""
    x, y = index_to_continuous((point.x, point.y)).tolist()
    around = [
        one
        for one in rectangles
        if (one.uid == point.uid if point.uid else one.name == point.name)
        and one.box.x0 - 1 < x < one.box.x1 + 1
        and one.box.y0 - 1 < y < one.box.y1 + 1
    ]
    return min(around, key=lambda one: one.box.area, default=None)


def _read_points(into: list[_Point], data: Any, attributes: dict[str, Any], picture: Picture) -> None:
    layer = str(attributes.get("name", "points"))
    positions = np.asarray(data, dtype=np.float64)
    if positions.size == 0:
        return
    if positions.shape[1] != 2:
        raise InputError(f"{layer}: its points have {positions.shape[1]} coordinates, expected 2 (row, column)")
    names, answers, uids = _names(attributes, len(positions)), _answers(attributes, len(positions)), _uids(attributes)
    instances = _instances(attributes, len(positions))
    height, width = picture.image_size
    indices = napari_to_index(_to_picture(attributes, "points", picture)(positions)).tolist()
    for number, (x, y) in enumerate(indices):
        where = f"{layer}, point {number}"
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(
                f"{where}: column {x}, row {y} lies outside of {picture.file_name} with {width} x {height} pixels; "
                "move or delete it"
            )
        uid = uids[number] if uids else ""
        into.append(_Point(where, x, y, names[number], answers[number], uid, instances[number]))


def _read_rectangles(into: list[_Rectangle], data: Any, attributes: dict[str, Any], picture: Picture) -> None:
    layer = str(attributes.get("name", "shapes"))
    count = len(data)
    types = attributes.get("shape_type", "rectangle")
    types = [types] * count if isinstance(types, str) else list(types)
    names, uids = _names(attributes, count), _uids(attributes)
    transform = _to_picture(attributes, "shapes", picture)
    for number, (corners, kind) in enumerate(zip(data, types, strict=True)):
        where = f"{layer}, shape {number}"
        if str(kind) != "rectangle":
            raise InputError(f"{where}: it is a {kind}, expected a rectangle; a box has four upright sides")
        corners = np.asarray(corners, dtype=np.float64)
        if corners.shape != (4, 2):
            raise InputError(f"{where}: its corners have {corners.shape[-1]} coordinates, expected 2 (row, column)")
        seen = transform(corners)
        if not all(len(np.unique(np.round(axis, 3))) == 2 for axis in seen.T):
            raise InputError(f"{where}: it is turned or has no area, expected an upright rectangle")
        x0, y0, x1, y1 = napari_corners_to_box(seen, picture.image_size).tolist()
        if x1 <= x0 or y1 <= y0:
            raise InputError(f"{where}: it lies outside of {picture.file_name}; move or delete it")
        into.append(_Rectangle(Box(x0, y0, x1, y1), names[number], uids[number] if uids else ""))


def _read_kinds(kinds: dict[str, bool], data: Any, attributes: dict[str, Any]) -> None:
    """The classes of a layer in order, and whether they are things; unsaid means things."""
    column = _column(attributes, ("isthing",))
    for number, name in enumerate(_names(attributes, len(data))):
        isthing = True if column is None else bool(column[number])
        if kinds.setdefault(name, isthing) != isthing:
            raise InputError(
                f"{attributes.get('name')}, row {number}: the class {name!r} is a thing in one row and stuff in "
                "another; give the feature 'isthing' one value for each class"
            )


def _names(attributes: dict[str, Any], count: int) -> list[str]:
    """The class of each row."""
    layer = str(attributes.get("name", "layer"))
    for column in CLASS_COLUMNS:
        values = _column(attributes, (column,))
        if values is None or (column == "label" and {str(value) for value in values} <= {*ANSWERS, CLICK}):
            continue
        for number, value in enumerate(values):
            if value is None or value != value or not str(value).strip():
                raise InputError(
                    f"{layer}, row {number}: the feature {column!r} is empty, expected the name of a class"
                )
        return [str(value).strip() for value in values]
    if not layer.strip():
        raise InputError("points: a layer has neither a name nor a feature 'class'; rename it to the name of its class")
    return [layer.strip()] * count


def _answers(attributes: dict[str, Any], count: int) -> list[str]:
    """The answer of each row, `CLICK` where there is none."""
    values = _column(attributes, ANSWER_COLUMNS)
    known = {*ANSWERS, CLICK}
    if values is None or not {str(value) for value in values} <= known:
        return [CLICK] * count
    return [str(value) for value in values]


def _uids(attributes: dict[str, Any]) -> list[str]:
    values = _column(attributes, ("uid",))
    return [] if values is None else [str(value) for value in values]


def _instances(attributes: dict[str, Any], count: int) -> list[int]:
    """The number of the object of each row, 0 where there is none."""
    values = _column(attributes, ("instance",))
    return [0] * count if values is None else [int(value) if value == value and value else 0 for value in values]


def _column(attributes: dict[str, Any], names: Sequence[str]) -> list[Any] | None:
    """A column of the features, None if none of the names is there."""
    features = attributes.get("features")
    if features is None:
        features = attributes.get("properties") or {}
    return next((list(features[name]) for name in names if name in features), None)


def _to_picture(
    attributes: dict[str, Any], kind: str, picture: Picture
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """From positions in a layer to (row, column) of the picture, as both lie in the window."""
    from napari.layers import Layer

    if picture.layer is None:
        return lambda positions: positions
    placed: dict[str, Any] = {
        name: attributes[name] for name in ("scale", "translate", "rotate", "shear", "affine") if name in attributes
    }
    layer = Layer.create(np.empty((0, 2)) if kind == "points" else [], {**placed, "ndim": 2}, kind)
    there = [np.asarray(picture.layer.world_to_data(layer.data_to_world(at))) for at in ((0, 0), (1, 0), (0, 1))]
    origin, rows, columns = there[0], there[1] - there[0], there[2] - there[0]
    return lambda positions: positions[:, :1] * rows + positions[:, 1:] * columns + origin
