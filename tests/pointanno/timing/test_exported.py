"""Times travel with the annotations: out, into another project, and out again; or they stay at home."""

from __future__ import annotations

import getpass
import platform
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Picture

from pointanno.cli.main import main
from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.formats import read_dataset
from pointanno.formats.validate import has_errors, validate_file
from pointanno.project import Project
from pointanno.project.discretion import Discretion, blurred
from pointanno.project.export_file import export_project
from pointanno.project.import_file import import_file
from pointanno.project.merging import merge_projects
from pointanno.timing.exported import measured_times, whole_ms
from pointanno.timing.log import read_log
from pointanno.timing.study import study_of

ACTIONS = st.lists(
    st.tuples(st.sampled_from(["box", "click", "undo", "pause", "again", "mask"]), st.integers(40, 9000)),
    min_size=1, max_size=9,
)  # fmt: skip
"""What a person does, and after how many milliseconds."""


def _times(path: Path) -> dict[str, Any]:
    """Every time of a file, by the list and the place in it."""
    data = orjson.loads(path.read_bytes())
    return {
        "points": [(one["point_coords"], one["point_times_ms"]) for one in data["annotations"]],
        "boxes": [(one["bbox"], one.get("bbox_time_ms"), one.get("bbox_drag_ms")) for one in data["annotations"]],
        "clicks": [(one["point_coords"], one["point_times_ms"]) for one in data["point_annotations"]],
    }


def _act(person: Any, actions: list[tuple[str, int]]) -> None:
    """Do it, with answers to the points of each box."""
    project: Project = person.project
    uid = ""
    for number, (action, ms) in enumerate(actions):
        person.wait(ms / 1000)
        if action == "box":
            uid = person.box(number, 3)
        elif action == "click":
            person.click(number)
        elif action == "undo":
            if any(image.clicks or image.boxes for image in project.images()):
                project.undo(t_mono_ns=person.now)
        elif action == "pause":
            person.write("pause", {"reason": "key"}, typed=True)
            person.wait(ms / 1000)
            person.write("resume", {"reason": "key"}, typed=True)
        elif action == "again" and uid in {box.uid for box in project.annotations(1).boxes}:
            payload = {"uid": uid, "point_coords": [[50, 50], [51, 51], [52, 52]]}
            person.write("resample", payload, typed=True)
            person.answer(uid, 0)
        elif action == "mask" and number == 0:
            rle: dict[str, Any] = {"size": [200, 300], "counts": [0, 40, 200 * 300 - 40]}
            drawn: dict[str, Any] = {"uid": "e" * 32, "category_id": 1, "rle": rle, "source": "painted", "time_ms": ms}
            person.write("mask", drawn, typed=True)


def _project(folder: Path, name: str = "p") -> Project:
    pictures = folder / "images"
    pictures.mkdir(exist_ok=True)
    Picture.fromarray(np.zeros((200, 300), np.uint8)).save(pictures / "a.png")
    classes = [Category(1, "cell", True), Category(2, "debris", True)]
    return Project.create(folder / name, images=pictures, categories=classes, points_per_box=3)


@given(actions=ACTIONS, seed=st.integers(0, 10))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_times_survive_the_way_into_another_project(
    actions: list[tuple[str, int]], seed: int, worker: Callable[[Project, int], Any], tmp_path_factory: Any
) -> None:
    folder: Path = tmp_path_factory.mktemp("trip")
    try:
        with _project(folder) as project:
            person = worker(project, seed)
            person.begin("box_points")
            person.show(1)
            _act(person, actions)
            person.end()
            study = study_of(read_log(project))
        export_project(project.path, folder / "one.json", "coco-point")
        assert not has_errors(validate_file(folder / "one.json"))
        # what stands in the file is what stands in the report, to the millisecond
        standing = [item for item in study.items if item.is_final]
        for kind, told in (("box", _boxes(folder / "one.json")), ("click", _clicks(folder / "one.json"))):
            assert Counter(told) == Counter(whole_ms(item) for item in standing if item.kind == kind)
        with _project(folder, "q") as other:
            import_file(other, folder / "one.json")
        export_project(other.path, folder / "two.json", "coco-point")
        assert _times(folder / "two.json") == _times(folder / "one.json")
        export_project(other.path, folder / "three.json", "coco-point", pseudonymise=True)
        assert _times(folder / "three.json") == _times(folder / "one.json")
    finally:
        shutil.rmtree(folder)


def _boxes(path: Path) -> list[int | None]:
    found = read_dataset(path).instances
    return [one.box_time_ms for one in found if one.box_source != "mask"]


def _clicks(path: Path) -> list[int | None]:
    return [time for one in read_dataset(path).targets for time in one.points.times_ms]


def test_answers_have_the_times_of_the_report(worked_on: Path, tmp_path: Path) -> None:
    with Project.open(worked_on, writable=False) as project:
        times = measured_times(project)
        study = study_of(read_log(project))
        boxes = {box.uid: box for image in project.images() for box in project.annotations(image.id).boxes}
    expected = {
        (item.uid, item.point): whole_ms(item)
        for item in study.items
        if item.kind == "point" and item.is_final and item.layer == "main" and item.point is not None
    }
    assert expected and all(times.answers[key] == value for key, value in expected.items())
    export_project(worked_on, tmp_path / "a.json", "coco-point")
    dataset = read_dataset(tmp_path / "a.json")
    assert len(dataset.instances) == len(boxes)
    told = [time for one in dataset.instances for time in one.points.times_ms]
    in_order = [expected.get((uid, index)) for uid, box in boxes.items() for index in range(len(box.answers))]
    assert sorted(map(str, told)) == sorted(map(str, in_order)) and any(told)


def test_times_survive_joining_copies(worked_on: Path, tmp_path: Path) -> None:
    """The copy has worked on; the joined project tells the times of both."""
    shutil.copytree(worked_on.parent, tmp_path / "w")
    first, copy = tmp_path / "w" / worked_on.name, tmp_path / "w" / "copy.pointanno"
    shutil.copytree(first, copy)
    with Project.open(copy, annotator="anon-3") as project:
        project.record("session_start", {"mode": "single_point"}, t_mono_ns=10**9)
        project.record("image_shown", {}, image_id=7, t_mono_ns=2 * 10**9)
        click = {"uid": "f" * 32, "category_id": 1, "x": 3, "y": 4, "time_ms": 5}
        project.record("click", click, image_id=7, t_mono_ns=3_234 * 10**6)
    export_project(first, tmp_path / "before.json", "coco-point")
    export_project(copy, tmp_path / "copy.json", "coco-point")
    merge_projects(first, [copy])
    export_project(first, tmp_path / "after.json", "coco-point")
    before, after = _times(tmp_path / "before.json"), _times(tmp_path / "after.json")
    assert after == _times(tmp_path / "copy.json")
    assert [one for one in after["clicks"] if one not in before["clicks"]] == [([[3, 4]], [1234])]


def test_what_was_timed_elsewhere_keeps_its_time(empty_project: Project, tmp_path: Path) -> None:
    """Without a session that kept time the noted one is all that is known."""
    click = {"uid": "f" * 32, "category_id": 1, "x": 3, "y": 4, "time_ms": 777}
    empty_project.record("click", click, image_id=1)
    empty_project.close()
    export_project(empty_project.path, tmp_path / "a.json", "coco-point")
    assert _clicks(tmp_path / "a.json") == [777]


def test_times_can_be_left_out(worked_on: Path, tmp_path: Path) -> None:
    export_project(worked_on, tmp_path / "a.json", "coco-point", times=False)
    assert not has_errors(validate_file(tmp_path / "a.json"))
    text = (tmp_path / "a.json").read_text()
    data = orjson.loads(text)
    assert not data["pointanno"].get("events")
    assert all(one["started"] is None and one["ended"] is None for one in data["pointanno"]["sessions"])
    every = [time for one in (*data["annotations"], *data["point_annotations"]) for time in one["point_times_ms"]]
    assert len(every) > 20 and set(every) == {None}
    assert not re.search(r'"(bbox_time_ms|bbox_drag_ms|extreme_times_ms|time_ms|dt_ms|t_ms)":\s*\d', text)
    main(["export", str(worked_on), "-o", str(tmp_path / "b.csv"), "--format", "csv", "--no-times"])
    rows = (tmp_path / "b.csv").read_text().splitlines()
    columns = rows[0].split(",")
    places = [columns.index(name) for name in ("time_ms", "box_time_ms")]
    assert len(rows) > 20 and all(not row.split(",")[place] for row in rows[1:] for place in places)


@pytest.fixture
def telling(tmp_path: Path, worker: Callable[[Project, int], Any]) -> Path:
    """A project full of what nobody should learn from a pseudonymised file."""
    with _project(tmp_path) as project:
        project.name_annotator("anon-1", "Ada Lovelace")
        person = worker(project, 0)
        person.begin("box_points")
        person.write("session_start", {"mode": "box_points", "user": "ada", "os": "Linux 6.1", "app": "0.1.0"})
        person.write("clock_anchor", {"utc_ns": 1_790_000_000_123_456_789})
        person.write("images_relocated", {"folder": "/home/ada/pictures"})
        person.show(1)
        uid = person.box(1, 3)
        person.write("flag", {"flagged": True, "reason": "ask Ben Nevis", "uid": uid}, typed=True)
        person.write("flag", {"flagged": True, "reason": "ask Ben Nevis"}, typed=True)
        person.write(
            "review", {"uid": uid, "point": 0, "verdict": "change", "value": "unsure", "reason": "says Ada"}, typed=True
        )
        person.click(7)
        project.undo(t_mono_ns=person.now)
        person.write("focus_lost", {"reason": "window"})
        person.write("focus_gained", {"reason": "window"})
        person.write("pointer", {"since_ns": person.now - 10, "window": "/home/ada/mail"})
        person.end()
    export_project(project.path, tmp_path / "own.json", "coco-point", people=True)
    with Project.open(project.path) as project:
        import_file(project, tmp_path / "own.json")
    return project.path


def _everything_written(data: Any) -> list[str]:
    """All words of a file, keys included."""
    if isinstance(data, dict):
        return [word for key, value in data.items() for word in (str(key), *_everything_written(value))]
    if isinstance(data, list):
        return [word for value in data for word in _everything_written(value)]
    return [str(data)]


def test_a_pseudonymised_file_tells_nothing_personal(telling: Path, tmp_path: Path) -> None:
    export_project(telling, tmp_path / "a.json", "coco-point", pseudonymise=True)
    assert not has_errors(validate_file(tmp_path / "a.json"))
    text = (tmp_path / "a.json").read_text()
    data = orjson.loads(text)
    assert data["pointanno"]["events"] and data["annotations"][0]["reviews"]
    with Project.open(telling, writable=False) as project:
        days = {event.t_wall // 10**9 for event in project.events()}
        identities = {event.uuid for event in project.events()}
    words = _everything_written(data)
    assert not identities & set(words)
    read = re.sub(r"\b[0-9a-f]{32}\b", "", text)  # letters of an identity may spell a name by chance
    for secret in ("Ada", "ada", "Lovelace", "Ben", "/home", str(tmp_path), "anon-", "Linux", "1790000000"):
        assert secret not in read, secret
    for own in (getpass.getuser(), platform.node()):
        assert own not in words
    assert not any(re.search(r"\d{4}-\d{2}-\d{2}|\d{2}:\d{2}:\d{2}", word) for word in words)
    numbers = [float(word) for word in words if re.fullmatch(r"-?\d+(\.\d+)?", word)]
    wall = [n for n in numbers for day in days for unit in (1, 10**3, 10**6, 10**9) if abs(n / unit - day) < 86400]
    assert not wall, "no number is near the calendar"
    # and yet it says as much about the work
    export_project(telling, tmp_path / "b.json", "coco-point")
    assert _times(tmp_path / "a.json") == _times(tmp_path / "b.json")
    kinds = [one["kind"] for one in data["pointanno"]["events"]]
    assert kinds.count("label") >= 3 and "focus_lost" in kinds and "import" not in kinds


def test_names_that_came_with_a_file_stay_at_home(telling: Path, tmp_path: Path) -> None:
    assert "Lovelace" in (tmp_path / "own.json").read_text()
    export_project(telling, tmp_path / "a.json", "coco-point")
    assert "Lovelace" not in (tmp_path / "a.json").read_text()


def test_undo_says_what_it_took_back(telling: Path, tmp_path: Path) -> None:
    for name, pseudonymise in (("a", False), ("b", True)):
        export_project(telling, tmp_path / f"{name}.json", "coco-point", pseudonymise=pseudonymise)
        events = orjson.loads((tmp_path / f"{name}.json").read_bytes())["pointanno"]["events"]
        undo = [one for one in events if one["kind"] == "undo"][-1]
        (target,) = [one for one in events if one["uuid"] == undo["target"]]
        assert undo["uuid"] != undo["target"] and target["kind"] == undo["target_kind"] == "click"


def test_a_pseudonymised_file_with_names_is_refused(telling: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no names"):
        export_project(telling, tmp_path / "a.json", "coco-point", pseudonymise=True, people=True)


def test_folders_outside_of_the_pictures_are_no_part_of_a_name() -> None:
    from pointanno.dataset import Image

    kept = Discretion(pseudonymised=True)
    names = {"sub/a.png": "sub/a.png", "/home/ada/a.png": "a.png", "../x/a.png": "a.png", r"C:\ada\a.png": "a.png"}
    for name, expected in names.items():
        image = Image(1, name, 4, 4, flag="Ada", skipped=None)
        assert kept.image(image).file_name == expected and kept.image(image).flag == ""
        assert Discretion().image(image) is image
    assert blurred("a") == blurred("a") != blurred("b") and re.fullmatch("[0-9a-f]{32}", blurred("a"))
