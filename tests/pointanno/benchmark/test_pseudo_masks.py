"""Masks from simulated clicks, measured against the truth of generated scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pointanno.benchmark.pseudo_masks import (
    find_splits,
    measure_generators,
    nearest_click,
    path_generators,
    read_examples,
)
from pointanno.errors import InputError
from pointanno.evaluation import panoptic_quality
from pointanno.scenes import write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_scenes(folder / "scenes" / "val", 5, 64, 0)
    return folder


def test_each_segment_has_a_click_inside_it(scenes: Path) -> None:
    dataset, examples = read_examples(scenes / "scenes" / "val", images=3, points=2, seed=1)
    assert len(dataset.images) == 3
    found = list(examples)
    assert [example.file_name for example in found] == [image.file_name for image in dataset.images]
    for example in found:
        assert len(example.targets) == len(example.instances) > 1
        by_id = {segment["id"]: segment["category_id"] for segment in example.segments}
        for target in example.targets:
            assert 1 <= len(target.points) <= 2
            for x, y in target.points.coords:
                assert by_id[int(example.panoptic_seg[y, x])] == target.category_id


def test_pictures_are_spread_over_the_split(scenes: Path) -> None:
    names = [image.file_name for image in read_examples(scenes / "scenes" / "val", images=99)[0].images]
    assert len(names) == 5
    few = [image.file_name for image in read_examples(scenes / "scenes" / "val", images=3)[0].images]
    assert few == [names[0], names[2], names[4]]


def test_the_measure_is_panoptic_quality(scenes: Path) -> None:
    """The truth itself has 1; one target everywhere has what `panoptic_quality` says; colours beat nearness."""
    folder = scenes / "scenes" / "val"
    truth = list(read_examples(folder, images=5)[1])
    isthing = {category.id: category.isthing for category in read_examples(folder, images=5)[0].categories}
    shown = iter(truth)

    def perfect(image: np.ndarray, point_coords: Sequence[np.ndarray], category_ids: Sequence[int]) -> np.ndarray:
        seg = next(shown).panoptic_seg
        labels = np.full(seg.shape, -1, np.int32)
        for number, coords in enumerate(point_coords):
            labels[seg == seg[coords[0, 1], coords[0, 0]]] = number
        return labels

    def first(image: np.ndarray, point_coords: Sequence[np.ndarray], category_ids: Sequence[int]) -> np.ndarray:
        return np.zeros(image.shape[:2], np.int32)

    measured = measure_generators(folder, {"perfect": perfect, "first": first, **path_generators(64)}, images=5)
    assert measured["images"] == 5
    assert measured["targets"] == sum(len(example.targets) for example in truth)
    rows = measured["generators"]
    assert rows["perfect"]["pq"] == rows["perfect"]["pq_things"] == rows["perfect"]["pq_stuff"] == 1
    by_hand = panoptic_quality(
        (
            (
                example.panoptic_seg,
                example.segments,
                np.ones_like(example.panoptic_seg),
                [{"id": 1, "category_id": example.targets[0].category_id}],
            )
            for example in truth
        ),
        isthing,
    )
    assert rows["first"]["pq"] == by_hand["all"]["pq"]
    assert rows["edges+colors"]["pq"] > rows["nearest"]["pq"] > rows["first"]["pq"]


def test_nearest_click() -> None:
    found = nearest_click(np.zeros((3, 9, 3), np.uint8), [np.array([[0, 1]]), np.array([[8, 1], [3, 1]])], [1, 1])
    assert found.tolist() == [[0, 0, 1, 1, 1, 1, 1, 1, 1]] * 3
    assert (nearest_click(np.zeros((2, 2, 3), np.uint8), [], []) == -1).all()


def test_pictures_show_clicks_truth_and_every_generator(scenes: Path, tmp_path: Path) -> None:
    measure_generators(scenes / "scenes" / "val", path_generators(32), images=2, pictures=tmp_path / "drawn")
    files = sorted((tmp_path / "drawn").iterdir())
    assert len(files) == 2
    with Image.open(files[0]) as drawn:
        assert drawn.size == (5 * 512 + 4 * 6, 512)
        panels = np.asarray(drawn.convert("RGB"))
    truth, nearest = panels[:, 518:1030].astype(int), panels[:, 1036:1548].astype(int)
    assert (truth != nearest).any()


def test_data_sets_are_found_by_their_truth(scenes: Path, tmp_path: Path) -> None:
    assert find_splits(scenes, [], "val") == {"scenes": scenes / "scenes" / "val"}
    with pytest.raises(InputError, match="no data set with panoptic truth"):
        find_splits(scenes, [], "train")
    with pytest.raises(InputError, match=r"other.val.panoptic.json: this file is missing"):
        find_splits(scenes, ["scenes", "other"], "val")
