"""The simulated annotator: the published stream to the last bit, and what each option does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from pycocotools import mask as coco_mask

from pointanno.dataset import Box, Category, Image, Instance, MaskLabel, PointDataset
from pointanno.errors import InputError
from pointanno.formats import coco_point, pointsup, read_dataset
from pointanno.formats.coco_instances import dict_to_dataset
from pointanno.formats.instance_records import no_points
from pointanno.formats.rle import mask_to_rle, rle_to_mask
from pointanno.simulation import boxes_at_shares, points_from_mask, points_in_boxes, simulate


def _dataset(*masks: np.ndarray, category_ids: tuple[int, ...] = ()) -> PointDataset:
    height, width = masks[0].shape
    category_ids = category_ids or (1,) * len(masks)
    instances = []
    for number, (mask, category_id) in enumerate(zip(masks, category_ids, strict=True), start=1):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
        label = MaskLabel(mask_to_rle(mask), "ground_truth")
        instances.append(Instance(number, 1, category_id, box, no_points(), mask=label))
    return PointDataset(
        images=(Image(1, "a.png", height, width),),
        categories=(Category(1, "cell", True), Category(2, "nerve", True), Category(9, "ground", False)),
        instances=tuple(instances),
    )


def _disc(size: int, radius: float) -> np.ndarray:
    centers = np.arange(size) + 0.5 - size / 2
    return centers[:, None] ** 2 + centers[None, :] ** 2 <= radius**2


def _published_script(data: dict[str, Any], n: int, seed: int) -> list[dict[str, Any]]:
    """What the published script does, written plainly: decode each mask, draw N pairs for each annotation."""
    state = np.random.RandomState(seed)
    sizes = {image["id"]: (image["height"], image["width"]) for image in data["images"]}
    result = []
    for annotation in data["annotations"]:
        height, width = sizes[annotation["image_id"]]
        segmentation = annotation["segmentation"]
        if isinstance(segmentation, list):
            rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
        elif isinstance(segmentation["counts"], list):
            rle = coco_mask.frPyObjects(segmentation, height, width)
        else:
            rle = segmentation
        mask = coco_mask.decode(rle)
        coords = state.rand(n, 2)
        coords[:, 0] = coords[:, 0] * annotation["bbox"][2] + annotation["bbox"][0]
        coords[:, 1] = coords[:, 1] * annotation["bbox"][3] + annotation["bbox"][1]
        pixels = np.floor(coords).astype(int)
        rest = {key: value for key, value in annotation.items() if key != "segmentation"}
        labels = mask[pixels[:, 1], pixels[:, 0]]
        result.append({**rest, "point_coords": pixels.tolist(), "point_labels": labels.tolist()})
    return result


def test_positions_in_a_box() -> None:
    """x = floor(2.4 + 0.999 * 3.2) = floor(5.597) = 5, y = floor(4.1 + 0.999 * 2.9) = floor(6.997) = 6."""
    shares = np.array([[[0.0, 0.0], [0.999, 0.999]]])
    assert boxes_at_shares(np.array([[2.4, 4.1, 3.2, 2.9]]), shares).tolist() == [[[2, 4], [5, 6]]]


def test_one_draw_is_the_same_stream_as_one_draw_a_box() -> None:
    boxes = np.array([[0.0, 0.0, 100.0, 100.0], [5.0, 7.0, 50.0, 60.0]])
    whole = points_in_boxes(boxes, 10, 12345)
    state = np.random.RandomState(12345)
    assert np.array_equal(whole[0], points_in_boxes(boxes[:1], 10, state)[0])
    assert np.array_equal(whole[1], points_in_boxes(boxes[1:], 10, state)[0])


@pytest.mark.parametrize("seed", [0, 12345])
def test_box_points_are_those_of_the_published_script(data_folder: Path, seed: int) -> None:
    """Polygons, uncompressed crowd regions and fractional boxes of real COCO files."""
    path = data_folder / "coco_mini" / "train" / "instances.json"
    expected = _published_script(orjson.loads(path.read_bytes()), 10, seed)
    written = pointsup.dataset_to_dict(simulate(read_dataset(path), "box-points", n=10, seed=seed))["annotations"]
    assert any(entry["iscrowd"] for entry in written)
    assert written == expected


def test_a_disc_in_its_box() -> None:
    """Area of a disc of radius 10 in a box of 20 x 20: pi / 4 = 0.785; all ones or all zeros must fail."""
    dataset = simulate(_dataset(_disc(20, 10)), "box-points", n=2000)
    share = float((dataset.instances[0].points.labels == 1).mean())
    assert 0.75 <= share <= 0.82
    assert dataset.points_per_instance == 2000


def test_labels_are_those_of_the_mask_at_the_point() -> None:
    mask = _disc(40, 13)
    points = simulate(_dataset(mask), "box-points", n=500).instances[0].points
    assert np.array_equal(points.labels, mask[points.coords[:, 1], points.coords[:, 0]])
    assert set(points.source) == {"simulated"}


def test_boxes_that_stick_out_give_points_in_the_picture() -> None:
    dataset = _dataset(np.ones((20, 20), bool))
    sticking = replace(dataset.instances[0], box=Box(-1.5, -1.0, 21.0, 20.5))
    coords = simulate(replace(dataset, instances=(sticking,)), "box-points", n=500).instances[0].points.coords
    assert coords.min() == 0 and coords.max() == 19


def test_noise_flips_answers_and_nothing_else() -> None:
    dataset = _dataset(_disc(40, 13))
    clean = simulate(dataset, "box-points", n=4000).instances[0].points
    noisy = simulate(dataset, "box-points", n=4000, label_noise=0.2).instances[0].points
    assert np.array_equal(clean.coords, noisy.coords)
    assert float((clean.labels != noisy.labels).mean()) == pytest.approx(0.2, abs=0.03)
    wrong = simulate(dataset, "box-points", n=100, label_noise=1.0).instances[0].points
    right = simulate(dataset, "box-points", n=100).instances[0].points
    assert np.array_equal(wrong.labels, 1 - right.labels)


def test_jitter_moves_edges_within_bounds() -> None:
    mask = np.zeros((100, 100), bool)
    mask[30:70, 20:80] = True
    moved = simulate(_dataset(mask), "box-points", box_jitter=0.1).instances[0].box
    assert moved.xyxy != (20.0, 30.0, 80.0, 70.0)
    assert abs(moved.x0 - 20) <= 6 and abs(moved.x1 - 80) <= 6
    assert abs(moved.y0 - 30) <= 4 and abs(moved.y1 - 70) <= 4


@pytest.mark.parametrize("sampling", ["uniform", "center", "border"])
def test_clicks_fall_on_their_object(sampling: Any) -> None:
    rng = np.random.default_rng(0)
    masks = [_disc(30, 8), np.kron(rng.random((10, 10)) < 0.4, np.ones((3, 3), bool)), _disc(30, 3)]
    dataset = simulate(_dataset(*masks, category_ids=(1, 9, 2)), "single-point", sampling=sampling)
    assert [(target.category_id, target.isthing, target.instance) for target in dataset.targets] == [
        (1, True, 1), (9, False, 0), (2, True, 2),
    ]  # fmt: skip
    for target, mask in zip(dataset.targets, masks, strict=True):
        ((x, y),) = target.points.coords
        assert mask[y, x]
        assert target.points.labels.tolist() == [1]
    assert dataset.instances == ()
    assert dataset.exhaustive_things is True
    assert dataset.images[0].complete == {"things": True, "stuff": True}


def test_center_and_border_are_what_they_say() -> None:
    """Mean distance to the centre of a disc of radius 20: 2/3 * 20 = 13.3 if uniform."""
    rle = mask_to_rle(_disc(50, 20))
    mean = {}
    for sampling in ("uniform", "center", "border"):
        generator = np.random.default_rng(3)
        draws = [points_from_mask(rle, 1, generator, sampling=sampling)[0] for _ in range(400)]
        mean[sampling] = float(np.hypot(*(np.array(draws) + 0.5 - 25).T).mean())
    assert mean["uniform"] == pytest.approx(13.3, abs=0.8)
    assert mean["center"] < 10
    assert mean["border"] > 16


@pytest.mark.parametrize(("sampling", "share"), [("uniform", 1 / 9), ("center", 4 / 12), ("border", 0.25 / 8.25)])
def test_the_chance_of_the_middle_of_a_square(sampling: Any, share: float) -> None:
    """3 x 3 pixels: the middle is 2 from the outside, the others 1; chances 4 : 8 x 1 and 1/4 : 8 x 1."""
    mask = np.zeros((7, 9), bool)
    mask[2:5, 4:7] = True
    generator = np.random.default_rng(0)
    draws = [points_from_mask(mask_to_rle(mask), 1, generator, sampling=sampling)[0].tolist() for _ in range(2000)]
    assert draws.count([5, 3]) / 2000 == pytest.approx(share, abs=0.03)


def test_every_pixel_is_equally_likely() -> None:
    mask = np.zeros((5, 7), bool)
    mask[1, 1:4] = mask[3, 6] = True
    generator = np.random.default_rng(0)
    draws = np.array([points_from_mask(mask_to_rle(mask), 1, generator)[0] for _ in range(4000)])
    found, counts = np.unique(draws, axis=0, return_counts=True)
    assert found.tolist() == [[1, 1], [2, 1], [3, 1], [6, 3]]
    assert counts.min() > 900


def test_several_clicks_are_different_pixels() -> None:
    targets = simulate(_dataset(_disc(20, 6), _disc(20, 1)), "multi-point", n=10).targets
    assert len({tuple(point) for point in targets[0].points.coords.tolist()}) == 10
    assert len(targets[1].points) == 4  # it has no more pixels


def test_a_click_does_not_depend_on_the_rest_of_the_file() -> None:
    dataset = _dataset(_disc(30, 9), _disc(30, 5))
    both = simulate(dataset, "single-point", seed=4).targets
    alone = simulate(replace(dataset, instances=dataset.instances[1:]), "single-point", seed=4).targets
    assert both[1].points == alone[0].points
    assert simulate(dataset, "single-point", seed=5).targets[1].points != both[1].points


def test_noise_of_clicks_names_another_class_of_its_kind() -> None:
    dataset = _dataset(_disc(30, 9), _disc(30, 5), category_ids=(1, 9))
    targets = simulate(dataset, "single-point", label_noise=1.0).targets
    assert [target.category_id for target in targets] == [2, 9]  # stuff has no other class


def test_crowds_get_boxes_but_no_clicks() -> None:
    dataset = _dataset(_disc(30, 9), _disc(30, 5))
    crowd = replace(dataset.instances[0], iscrowd=True)
    dataset = replace(dataset, instances=(crowd, dataset.instances[1]))
    assert len(simulate(dataset, "box-points").instances) == 2
    assert len(simulate(dataset, "single-point").targets) == 1


def test_masks_are_kept_with_padded_points(tmp_path: Path) -> None:
    dataset = simulate(_dataset(_disc(30, 9)), "mask", n=4)
    (instance,) = dataset.instances
    assert instance.mask is not None and instance.mask.source == "painted"
    assert instance.points.status == ("pad",) * 4
    coco_point.write(dataset, tmp_path / "a.json")
    again = read_dataset(tmp_path / "a.json").instances[0]
    assert again.mask is not None
    assert np.array_equal(rle_to_mask(again.mask.rle), _disc(30, 9))


def test_stuff_comes_from_panoptic_truth(data_folder: Path) -> None:
    dataset = read_dataset(data_folder / "facades" / "val" / "panoptic.json")
    targets = simulate(dataset, "single-point").targets
    assert sum(not target.isthing for target in targets) == 286
    assert len(simulate(dataset, "box-points").instances) == 2575


def test_same_seed_same_points() -> None:
    dataset = _dataset(_disc(30, 9))
    for protocol in ("single-point", "multi-point", "box-points", "mask"):
        assert simulate(dataset, protocol, seed=3) == simulate(dataset, protocol, seed=3)
    assert simulate(dataset, "box-points", seed=3) != simulate(dataset, "box-points", seed=4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "lines"}, "--protocol: 'lines' is not one of single-point, multi-point, box-points, mask"),
        ({"sampling": "edge"}, "--sampling: 'edge' is not one of uniform, center, border"),
        ({"n": 0}, "-n: the number of points must be 1 or more"),
        ({"label_noise": 1.5}, "--label-noise: expected a chance from 0 to 1, but got 1.5"),
        ({"box_jitter": 0.5}, "--box-jitter: expected a share"),
        ({"seed": -1}, "--seed: expected an integer from 0"),
    ],
)
def test_bad_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate(_dataset(_disc(9, 3)), **{"protocol": "box-points", **options})


def test_a_truth_without_masks_is_refused() -> None:
    dataset = _dataset(_disc(9, 3))
    blind = replace(dataset, instances=(replace(dataset.instances[0], mask=None),))
    with pytest.raises(InputError, match="annotation 1 has no segmentation"):
        simulate(blind, "box-points")
    with pytest.raises(InputError, match="holds no annotation"):
        simulate(replace(dataset, instances=()), "box-points")
    with pytest.raises(ValueError, match="empty"):
        points_from_mask(mask_to_rle(np.zeros((3, 3), bool)), 1, np.random.default_rng(0))
    assert dict_to_dataset({"images": [], "categories": [], "annotations": []}).instances == ()
