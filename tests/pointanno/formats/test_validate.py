from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image as PillowImage

from pointanno.dataset import PointDataset
from pointanno.errors import InputError
from pointanno.formats import coco_point, pointsup
from pointanno.formats.checks import check_records, check_structure
from pointanno.formats.validate import has_errors, validate_file

VALUES: list[Any] = [None, -1, 2.5, "x", [], [None], {}, [[]], [{}], True, 10**30]


def _messages(path: Path, **options: Any) -> list[str]:
    return [f"{finding.severity} {finding}" for finding in validate_file(path, **options)]


def test_a_good_file_has_no_findings(tmp_path: Path, rich_dataset: PointDataset) -> None:
    coco_point.write(rich_dataset, tmp_path / "a.json")
    assert validate_file(tmp_path / "a.json") == []


def test_all_findings_are_listed(tmp_path: Path, rich_dataset: PointDataset) -> None:
    data = coco_point.dataset_to_dict(rich_dataset)
    data["annotations"][0]["category_id"] = 9
    data["annotations"][1]["bbox"] = [-50, 0, 5, 5]
    data["annotations"][2]["id"] = 1
    (tmp_path / "a.json").write_bytes(orjson.dumps(data))
    assert _messages(tmp_path / "a.json") == [
        "error annotation 1: category_id 9 is not among 1, 2, 7",
        "error annotation 2: bbox [-50, 0, 5, 5] lies outside the picture of 100 x 128 pixels; correct the box",
        "error annotation 1: the id occurs more than once; give each annotation its own id",
        "error point_annotation 1: linked_annotation_id 5 is not among the ids of annotations",
    ]


def test_strict_files_have_equal_counts(tmp_path: Path, rich_dataset: PointDataset) -> None:
    coco_point.write(rich_dataset, tmp_path / "a.json")
    findings = validate_file(tmp_path / "a.json", strict=True)
    assert [finding.where for finding in findings] == ["annotation 2", "annotation 5"]
    assert "it has 1 points, but annotation 1 has 3" in findings[0].message
    pointsup.write(rich_dataset, tmp_path / "b.json")
    assert validate_file(tmp_path / "b.json", strict=True) == []


def test_strict_needs_points(tmp_path: Path, instances_json: dict[str, Any]) -> None:
    (tmp_path / "a.json").write_bytes(orjson.dumps(instances_json))
    assert not has_errors(validate_file(tmp_path / "a.json"))
    messages = _messages(tmp_path / "a.json", strict=True)
    assert messages[0] == "error annotation 1: point_coords is missing; expected a list"
    assert (
        "error annotation 4: point_coords is missing (the loader reads it for crowd regions too); expected a list"
        in (messages)
    )


def test_an_image_of_crowds_only_is_a_warning(tmp_path: Path, rich_dataset: PointDataset) -> None:
    data = pointsup.dataset_to_dict(rich_dataset)
    data["annotations"][1]["image_id"] = 2
    (tmp_path / "a.json").write_bytes(orjson.dumps(data))
    assert _messages(tmp_path / "a.json", strict=True) == [
        "warning image 2: all its annotations are crowd regions; the loader must filter it out"
    ]


def test_unreadable_masks_are_found(tmp_path: Path, instances_json: dict[str, Any]) -> None:
    instances_json["annotations"][0]["segmentation"] = [[1.0, 2.0, 3.0]]
    (tmp_path / "a.json").write_bytes(orjson.dumps(instances_json))
    (message,) = _messages(tmp_path / "a.json")
    assert message == "error annotation 1: segmentation: a polygon needs an even number of at least 6 values, but got 3"


def test_pictures_are_compared(tmp_path: Path, rich_dataset: PointDataset) -> None:
    coco_point.write(rich_dataset, tmp_path / "a.json")
    images = tmp_path / "images"
    images.mkdir()
    (images / "b.tif").touch()
    noise = np.random.default_rng(0).integers(0, 255, (128, 100), np.uint8)
    PillowImage.fromarray(noise).save(images / "a.tif")
    messages = _messages(tmp_path / "a.json", images=images)
    assert messages[0].startswith("warning image 1:") and "its content has changed" in messages[0]
    assert messages[1].startswith("error image 2:") and "empty (0 bytes)" in messages[1]
    PillowImage.fromarray(noise.T).save(images / "a.tif")
    assert "has 128 x 100 pixels, but the file says 100 x 128" in _messages(tmp_path / "a.json", images=images)[0]
    (images / "a.tif").unlink()
    assert "the picture is missing" in _messages(tmp_path / "a.json", images=images)[0]
    assert _messages(tmp_path / "a.json", images=tmp_path / "no") == [
        f"error file: --images: there is no folder {tmp_path / 'no'}"
    ]


def test_panoptic_pngs_are_compared(data_folder: Path, tmp_path: Path) -> None:
    source = data_folder / "pq_reference" / "deeplab2_team"
    assert validate_file(source / "gt.json") == []
    data = orjson.loads((source / "gt.json").read_bytes())
    data["annotations"][0]["segments_info"][0]["id"] = 5
    data["annotations"][0]["segments_info"][1]["area"] = 5
    (tmp_path / "gt.json").write_bytes(orjson.dumps(data))
    (tmp_path / "gt").symlink_to(source / "gt")
    assert [finding.message for finding in validate_file(tmp_path / "gt.json")] == [
        "segment 1047 is in its PNG, but not in segments_info",
        "segment 5 is in segments_info, but not in its PNG",
        "segment 1097 has area 5, but 6419 pixels in its PNG",
    ]


@pytest.mark.parametrize("content", [b"", b'{"images": [', b"[]", b"{}", b"nonsense"])
def test_broken_files_have_findings_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    findings = validate_file(tmp_path / "a.json")
    assert has_errors(findings)
    assert all(str(tmp_path) not in finding.message for finding in findings)


@pytest.mark.parametrize("kind", ["coco-point", "pointsup", "coco-instances", "coco-panoptic"])
def test_no_value_of_any_type_breaks_the_checks(rich_dataset: PointDataset, kind: Any) -> None:
    """Every key of every record is replaced by values of other types; the checks must word it, never raise."""
    source = orjson.loads(orjson.dumps(coco_point.dataset_to_dict(rich_dataset)))
    source["annotations"][0]["segments_info"] = [{"id": 1, "category_id": 1, "iscrowd": 0}]
    for section in ("images", "categories", "annotations", "point_annotations"):
        for key in [*source[section][0], None]:
            for value in VALUES:
                data = orjson.loads(orjson.dumps(source))
                if key is None:
                    data[section][0] = value
                else:
                    data[section][0][key] = value
                assert list(check_structure(data)) == []
                for lenient in (False, True):
                    assert all(finding.message for finding in check_records(data, kind, lenient=lenient))


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("info",), "x", "info must be an object"),
        (("licenses",), True, "licenses must be a list"),
        (("licenses",), [1], "licenses[0]: expected an object"),
        (("pointanno", "events"), 5, "pointanno.events must be a list"),
        (("pointanno", "sessions"), [[1]], "pointanno.sessions[0]: expected an object"),
        (("pointanno", "annotators"), [{"index": [1]}], "pointanno.annotators[0]: index must be 0 or more"),
        (("pointanno", "points_per_instance"), "10", "points_per_instance must be a positive integer"),
        (("pointanno", "exhaustive_things"), "no", "exhaustive_things must be true, false or null"),
        (("images", 0, "id"), 2**63, "id must be an integer"),
        (("images", 0, "height"), 2**40, "height must be a positive integer"),
        (("annotations", 0, "point_labels", 0), None, "point_labels must be 1, 0 or -1, but one is null"),
        (("annotations", 0, "point_source", 0), [1], "point_source must hold words"),
        (("annotations", 0, "point_times_ms", 0), 2**40, "point_times_ms[0] must be whole milliseconds"),
        (("annotations", 0, "bbox_session"), [1], "bbox_session must be an index"),
        (("annotations", 0, "bbox_source"), 5, "bbox_source must be a word"),
        (("annotations", 0, "point_seed"), "x", "point_seed must be an integer"),
    ],
)
def test_readers_refuse_what_they_cannot_hold(
    rich_dataset: PointDataset, path: tuple[str | int, ...], value: Any, message: str
) -> None:
    data = coco_point.dataset_to_dict(rich_dataset)
    place: Any = data
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError) as caught:
        coco_point.dict_to_dataset(data, name="points.json")
    assert message in str(caught.value)


@pytest.mark.parametrize("area", [None, [1], -1, 2**63])
def test_areas_of_segments_are_numbers(area: Any) -> None:
    segment = {"id": 1, "category_id": 1, "area": area}
    data = {
        "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 4}],
        "categories": [{"id": 1, "name": "a", "isthing": 1}],
        "annotations": [{"image_id": 1, "file_name": "a.png", "segments_info": [segment]}],
    }
    assert any("area must be a number of pixels" in str(one) for one in check_records(data, "coco-panoptic"))
