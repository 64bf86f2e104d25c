"""Pictures that a prediction is least certain about."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pointanno.errors import InputError
from pointanno.timing.budget.uncertain import doubt_rows, in_words, least_certain


def _write(path: Path, scores: dict[str, list[float]]) -> Path:
    entries = [{"file_name": name, "score": score} for name, many in scores.items() for score in many]
    path.write_bytes(orjson.dumps(entries))
    return path


def test_scores_near_one_half_come_first(tmp_path: Path) -> None:
    file = _write(
        tmp_path / "p.json", {"sure.png": [0.99, 0.98], "half.png": [0.5], "done.png": [0.5], "so.png": [0.9]}
    )
    found = least_certain(file, {"sure.png", "half.png", "so.png"})
    assert [one.file_name for one in found] == ["half.png", "so.png", "sure.png"]
    assert found[0].doubt == pytest.approx(1.0) and found[0].objects == 1
    assert doubt_rows(found)[0]["place"] == 1


def test_panoptic_predictions_have_scores_as_well(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [
            {"image_id": 1, "segments_info": [{"id": 1, "score": 0.9}]},
            {"image_id": 2, "segments_info": [{"id": 1, "score": 0.6}, {"id": 2}]},
        ],
    }
    (tmp_path / "p.json").write_bytes(orjson.dumps(content))
    assert [one.file_name for one in least_certain(tmp_path / "p.json", {"a.png", "b.png"})] == ["b.png", "a.png"]


def test_a_file_without_scores_of_such_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--predictions must hold scores of pictures of the project"):
        least_certain(_write(tmp_path / "p.json", {"a.png": [0.5]}), {"b.png"})


def test_the_sentence_names_so_many_as_the_hours_pay(tmp_path: Path) -> None:
    found = least_certain(
        _write(tmp_path / "p.json", {f"{n:02d}.png": [0.5] for n in range(40)}), {f"{n:02d}.png" for n in range(40)}
    )
    assert in_words(found, 12, "box+10", 2) == (
        "2 h of box+10 pay for about 12 pictures; the least certain of those without annotations: 00.png, 01.png, "
        "02.png, 03.png, 04.png, 05.png, 06.png, 07.png, 08.png, 09.png and 2 more."
    )
