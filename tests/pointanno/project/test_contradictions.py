"""What a model says against what people said; every expected item is worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from pointanno.dataset import PanopticPrediction
from pointanno.errors import InputError
from pointanno.formats import FORMATS
from pointanno.formats.coco_panoptic import write_panoptic
from pointanno.formats.rle import mask_to_rle
from pointanno.project import Project
from pointanno.project.contradictions import (
    PredictionFile,
    contradiction_page,
    contradictions,
    doubtful_items,
    from_label_map,
    runs_with_doubts,
)
from pointanno.runs.review import REVIEW

BOX, FAR, THING, STUFF = "b" * 32, "f" * 32, "1" * 32, "2" * 32
SIZE = (40, 60)


def prepare(project: Project) -> None:
    """A cell in (0, 0, 10, 10) with three answers, one nobody else sees, a click on a cell, one on the background."""
    stuff = next(one.id for one in project.categories() if not one.isthing)
    coords = [[1, 1], [2, 2], [9, 9]]
    for uid, box in ((BOX, [0, 0, 10, 10]), (FAR, [40, 20, 50, 30])):
        points = [[x + int(box[0]), y + int(box[1])] for x, y in coords]
        project.record("box", {"uid": uid, "category_id": 1, "box": box, "point_coords": points}, image_id=1)
        for point, value in enumerate(("object", "background", "unsure")):
            project.record("answer", {"uid": uid, "point": point, "value": value}, image_id=1)
    project.record("click", {"uid": THING, "category_id": 1, "x": 25, "y": 5}, image_id=1)
    project.record("click", {"uid": STUFF, "category_id": stuff, "x": 5, "y": 5}, image_id=1)


def labels_and_segments(project: Project) -> tuple[NDArray[Any], list[dict[str, Any]]]:
    """Cell 70000 in the corner, 9 by 10 pixels, without pixel (1, 1); background elsewhere but void on the right."""
    stuff = next(one.id for one in project.categories() if not one.isthing)
    labels = np.full(SIZE, 3, dtype=np.int64)
    labels[0:10, 0:9] = 70000
    labels[1, 1] = 3
    labels[:, 55:] = 0
    segments: list[dict[str, Any]] = [
        {"id": 3, "category_id": stuff, "isthing": False},
        {"id": 70000, "category_id": 1, "isthing": True, "score": 0.9},
        {"id": 4, "category_id": 1, "isthing": True, "score": 0.9},
    ]
    return labels, segments


def test_answers_clicks_and_boxes_are_compared_with_segments(project: Project) -> None:
    """(1, 1) is no cell for the model, (2, 2) is one; both clicks lie on the other class; the far box is not seen."""
    prepare(project)
    prediction = from_label_map(*labels_and_segments(project))
    items = list(contradictions(project.annotations(1), prediction))
    stuff = next(one.id for one in project.categories() if not one.isthing)
    assert [(item.uid, item.point, item.value, item.other, item.category_id) for item in items] == [
        (THING, None, "object", "other class", stuff),
        (STUFF, None, "object", "other class", 1),
        (BOX, 0, "object", "background", None),
        (BOX, 1, "background", "object", None),
        (FAR, None, None, "nothing", None),
    ]
    assert {item.reason for item in items} == {"model"}
    project.review(1, BOX, "confirm", point=0)
    project.review(1, THING, "later")
    left = [(item.uid, item.point) for item in contradictions(project.annotations(1), prediction)]
    assert left == [(THING, None), (STUFF, None), (BOX, 1), (FAR, None)]
    strict = contradictions(project.annotations(1), prediction, min_score=0.95)
    assert [(item.uid, item.other) for item in strict][-2:] == [(BOX, "nothing"), (FAR, "nothing")]


def test_void_contradicts_a_click(project: Project) -> None:
    project.record("click", {"uid": THING, "category_id": 1, "x": 57, "y": 5}, image_id=1)
    [item] = contradictions(project.annotations(1), from_label_map(*labels_and_segments(project)))
    assert (item.uid, item.other, item.category_id) == (THING, "nothing", None)


def test_a_file_of_results_says_nothing_about_stuff(project: Project, tmp_path: Path) -> None:
    prepare(project)
    labels, _ = labels_and_segments(project)
    file = tmp_path / "predictions.json"
    entry = {"image_id": 77, "file_name": project.image(1).file_name, "category_id": 1, "score": 0.8}
    entry |= {"bbox": [0, 0, 9, 10], "segmentation": mask_to_rle(labels == 70000)}
    file.write_bytes(orjson.dumps([entry]))
    page = contradiction_page(project, PredictionFile(file))
    assert [(item.uid, item.point) for item in page.items] == [(THING, None), (BOX, 0), (BOX, 1), (FAR, None)]
    assert page.after is None
    assert contradiction_page(project, PredictionFile(file), after=0).items == (), "the other images have no prediction"


def test_panoptic_files_are_read_picture_by_picture(project: Project, tmp_path: Path) -> None:
    prepare(project)
    labels, segments = labels_and_segments(project)
    file = tmp_path / "panoptic.json"
    dataset = project.dataset()
    segmentations = [(1, PanopticPrediction(labels, tuple(segments[:2])))]
    write_panoptic(file, dataset.images[:1], dataset.categories, segmentations)
    page = contradiction_page(project, PredictionFile(file), images=1)
    assert len(page.items) == 5 and page.after == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1]}], "entry 0: expected image_id or file_name"),
        ({"images": []}, "neither a COCO results list nor panoptic predictions"),
    ],
)
def test_other_files_are_refused_in_words(project: Project, tmp_path: Path, content: object, words: str) -> None:
    file = tmp_path / "other.json"
    file.write_bytes(orjson.dumps(content))
    with pytest.raises(InputError) as refused:
        PredictionFile(file)
    assert words in str(refused.value) and str(file) in str(refused.value)


def test_a_prediction_of_another_size_is_refused(project: Project, tmp_path: Path) -> None:
    prepare(project)
    file = tmp_path / "predictions.json"
    mask = np.ones((8, 8), dtype=bool)
    entry = {"image_id": 1, "category_id": 1, "score": 1.0, "bbox": [0, 0, 8, 8], "segmentation": mask_to_rle(mask)}
    file.write_bytes(orjson.dumps([entry]))
    with pytest.raises(InputError, match="8 x 8 pixels, but the picture has 60 x 40"):
        contradiction_page(project, PredictionFile(file))


def test_doubtful_masks_of_a_training_are_found_by_their_boxes(project: Project) -> None:
    prepare(project)
    run = project.runs_folder / "first"
    stage = run / "stages" / "labels"
    stage.mkdir(parents=True)
    (run / "environment.json").write_text("{}")
    FORMATS["coco-point"].write(project.dataset(), run / "data.json")
    doubtful = [
        {
            **{"image_id": 1, "file_name": project.image(1).file_name, "annotation_id": number, "category_id": 1},
            **{"contradicted": 2, "answered": 3, "share": 0.67, "is_empty": number == 2},
        }
        for number in (2, 1, 9)
    ]
    review = {"labelled": 2, "answered": 6, "contradicted": 4, "max_disagreement": 0.2, "doubtful": doubtful}
    (stage / REVIEW).write_bytes(orjson.dumps(review))
    assert runs_with_doubts(project) == [run]
    items = doubtful_items(project, run)
    assert [(item.uid, item.note) for item in items] == [
        (FAR, "the model saw no object"),
        (BOX, "the mask contradicts 2 of 3 answers"),
    ]
    project.review(1, FAR, "confirm")
    assert [item.uid for item in doubtful_items(project, run)] == [BOX]
    (stage / REVIEW).unlink()
    with pytest.raises(InputError, match="no list of doubtful masks"):
        doubtful_items(project, run)
