from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from napari_pointanno._controllers import train
from napari_pointanno._controllers.train import TrainController, last_lines
from napari_pointanno._views.train_view import RunPanel, TrainForm, TrainView
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.runs import RunFolder, TrainArguments


def _run_folder(folder: Path, *events: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "environment.json").write_text(json.dumps({"arguments": {"data": "d.json", "images": "i"}}))
    (folder / "events.jsonl").write_text("".join(json.dumps({"time": 1.0, **event}) + "\n" for event in events))
    return folder


STEPS = (
    {"kind": "hello", "stages": ["train"]},
    {"kind": "stage", "stage": "train", "step": 0, "steps": 10},
    {"kind": "step", "stage": "train", "step": 5, "steps": 10, "loss": 1.25, "images_per_second": 3.0, "eta_s": 99},
)


@pytest.fixture
def view() -> Any:
    return MagicMock(spec=TrainView)


def _panel(view: Any) -> RunPanel:
    panel = view.show_run.call_args.args[0]
    assert isinstance(panel, RunPanel)
    return panel


def test_without_a_project_there_is_nothing_to_start(view: Any) -> None:
    controller = TrainController(view)
    assert view.show_ready.call_args.args[0] is False
    controller.start(TrainForm("point_sup", "small"))
    assert "Open a project first" in view.notify.call_args.args[0]
    names = [choice.name for choice in view.show_systems.call_args.args[0]]
    assert "point_sup" in names


def test_start_freezes_the_annotations_of_now(view: Any, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[TrainArguments, dict[str, Any]]] = []

    def start(arguments: TrainArguments, run: Path) -> None:
        started.append((arguments, json.loads(arguments.data.read_text())))
        _run_folder(run, *STEPS)

    monkeypatch.setattr(train, "start_training", start)
    controller = TrainController(view)
    controller.set_project(project)
    uid = "0" * 32
    project.record("click", {"uid": uid, "category_id": 1, "x": 3, "y": 4}, image_id=project.images()[0].id)
    controller.start(TrainForm("point_sup", "small", device="cpu", steps=7))
    ((arguments, data),) = started
    assert (arguments.images, arguments.device, arguments.steps) == (project.images_folder, "cpu", 7)
    assert arguments.init is None
    assert len(data["point_annotations"]) == 1
    assert controller.run is not None
    assert controller.run.path.parent == project.runs_folder
    assert not arguments.data.exists()
    first = controller.run.path
    controller.start(TrainForm("point_sup", "small", go_on_from_shown=True))
    assert started[1][0].init == first


def test_what_cannot_start_is_a_sentence(view: Any, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(arguments: TrainArguments, run: Path) -> None:
        raise InputError("recipe: no such thing")

    monkeypatch.setattr(train, "start_training", start)
    controller = TrainController(view)
    controller.set_project(project)
    controller.start(TrainForm("point_sup", "small"))
    view.notify.assert_called_once_with("recipe: no such thing")
    assert controller.run is None


def test_runs_of_earlier_are_found_and_shown(view: Any, project: Project) -> None:
    _run_folder(project.runs_folder / "2026-01-01_a", *STEPS)
    _run_folder(project.runs_folder / "2026-01-02_b", *STEPS, {"kind": "end", "reason": "finished"})
    controller = TrainController(view)
    controller.set_project(project)
    assert view.show_runs.call_args.args == (["2026-01-02_b", "2026-01-01_a"], "2026-01-02_b")
    panel = _panel(view)
    assert (panel.state, panel.progress) == ("finished", 0.5)
    assert "step 5/10" in panel.line
    controller.choose("2026-01-01_a")
    assert _panel(view).can_resume


def test_a_run_started_elsewhere_appears_by_itself(view: Any, project: Project) -> None:
    controller = TrainController(view)
    controller.set_project(project)
    _run_folder(project.runs_folder / "elsewhere", *STEPS)
    for _ in range(train.RUNS_EVERY):
        controller.tick()
    assert controller.run is not None
    assert controller.run.name == "elsewhere"


def test_the_curve_is_sent_only_when_lines_came(view: Any, project: Project) -> None:
    folder = _run_folder(project.runs_folder / "a", *STEPS)
    controller = TrainController(view)
    controller.set_project(project)
    view.show_curve.reset_mock()
    controller.tick()
    view.show_curve.assert_not_called()
    with (folder / "events.jsonl").open("a") as file:
        file.write(
            json.dumps({"kind": "step", "time": 2.0, "stage": "train", "step": 6, "steps": 10, "loss": 1.0}) + "\n"
        )
    controller.tick()
    assert view.show_curve.call_args.args[0].losses.tolist() == [1.25, 1.0]


def test_a_failure_shows_the_end_of_the_log(view: Any, project: Project) -> None:
    folder = _run_folder(project.runs_folder / "a", *STEPS)
    (folder / "log.txt").write_text("\n".join(f"line {index}" for index in range(50)))
    controller = TrainController(view)
    controller.set_project(project)
    controller._last_state = "running"
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps({"kind": "error", "time": 2.0, "message": "out of memory; use a smaller batch"}) + "\n")
    controller.tick()
    panel = _panel(view)
    assert panel.state == "failed"
    assert "out of memory" in panel.message
    assert panel.log.splitlines()[-1] == "line 49"
    assert "out of memory" in view.notify.call_args.args[0]
    controller.tick()
    assert view.notify.call_count == 1


def test_stop_asks_the_run(view: Any, project: Project) -> None:
    _run_folder(project.runs_folder / "a", *STEPS)
    controller = TrainController(view)
    controller.set_project(project)
    controller.stop()
    assert RunFolder(project.runs_folder / "a").control()["stop"] is True


def test_resume_of_a_finished_run_is_refused_in_words(view: Any, project: Project) -> None:
    _run_folder(project.runs_folder / "a", *STEPS, {"kind": "end", "reason": "finished"})
    controller = TrainController(view)
    controller.set_project(project)
    controller.resume()
    assert "finished" in view.notify.call_args.args[0]


def test_new_checkpoints_are_announced(view: Any, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    _run_folder(project.runs_folder / "a", *STEPS)
    controller = TrainController(view)
    seen: list[str] = []
    controller.checkpoint_changed.connect(seen.append)
    controller.set_project(project)
    monkeypatch.setattr(RunFolder, "checkpoint_id", lambda self, name="best": "c1")
    controller.tick()
    controller.tick()
    assert seen == ["c1"]


def test_last_lines_of_a_missing_log(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "none.txt") == ""
