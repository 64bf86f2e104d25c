from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from napari_pointanno._controllers import train
from napari_pointanno._controllers.train import TrainController
from napari_pointanno._views.train_view import RunPanel, TrainView
from pointanno.project import Project
from pointanno.runs import Machine, MachineReading, RunFolder
from pointanno.runs.machine import GpuReading
from pointanno.runs.process import write_worker_file

STEPS: tuple[dict[str, Any], ...] = (
    {"kind": "hello", "stages": ["train"]},
    {"kind": "stage", "stage": "train", "step": 0, "steps": 10, "batch_size": 6},
    {"kind": "step", "stage": "train", "step": 5, "steps": 10, "loss": 1.25, "losses": {"mask": 0.5},
     "images_per_second": 3.0, "eta_s": 99, "data_wait_s": 0.5},
)  # fmt: skip
VAL: dict[str, Any] = {
    "kind": "val", "stage": "train", "step": 5, "metric": "ap", "value": 0.4, "values": {"ap": 0.4, "ap50": 0.7},
}  # fmt: skip


def run_folder(folder: Path, *events: dict[str, Any], **data: Any) -> Path:
    folder.mkdir(parents=True)
    environment = {"system": "point_sup", "arguments": {"data": "d.json", "images": "i"}, "data": data}
    (folder / "environment.json").write_text(json.dumps(environment))
    (folder / "recipe.toml").write_text(f"[train]\nrate = {len(events)}\n")
    (folder / "events.jsonl").write_text("".join(json.dumps({"time": 1.0, **event}) + "\n" for event in events))
    return folder


def add(folder: Path, **event: Any) -> None:
    with (folder / "events.jsonl").open("a") as file:
        file.write(json.dumps({"time": 2.0, **event}) + "\n")


def make_active(folder: Path) -> None:
    """As if this process were the worker, started before the first line."""
    write_worker_file(folder / "worker.json", os.getpid())
    worker = json.loads((folder / "worker.json").read_text())
    (folder / "worker.json").write_text(json.dumps(worker | {"started": 0.5}))


@pytest.fixture
def view() -> Any:
    return MagicMock(spec=TrainView)


def shown(view: Any) -> RunPanel:
    panel = view.show_run.call_args.args[0]
    assert isinstance(panel, RunPanel)
    return panel


def test_runs_of_earlier_are_found_and_shown(view: Any, project: Project) -> None:
    old = run_folder(project.runs_folder / "2026-01-01_a", *STEPS)
    new = run_folder(project.runs_folder / "2026-01-02_b", *STEPS, {"kind": "end", "reason": "finished"})
    controller = TrainController(view)
    controller.set_project(project)
    rows, current = view.show_runs.call_args.args
    assert ([row.path for row in rows], current) == ([str(new), str(old)], str(new))
    panel = shown(view)
    assert (panel.state, panel.progress, panel.line) == ("finished", 0.5, "step 5/10 · loss 1.250")
    controller.choose(str(old))
    assert shown(view).can_resume


def test_the_run_that_is_active_is_shown_first(view: Any, project: Project) -> None:
    active = run_folder(project.runs_folder / "a", *STEPS)
    make_active(active)
    run_folder(project.runs_folder / "b", *STEPS)
    controller = TrainController(view)
    controller.set_project(project)
    assert controller.run is not None and controller.run.path == active
    panel = shown(view)
    assert panel.state == "running" and panel.can_stop and panel.can_pause
    assert panel.line == "step 5/10 · ETA 2 min · 3.0 images/s · loss 1.250"
    assert "goes on in the background" in view.show_activity.call_args.args[0]
    add(active, kind="end", reason="stopped")
    controller.tick()
    assert view.show_activity.call_args.args == ("",)


def test_a_run_that_lies_anywhere(view: Any, project: Project, tmp_path: Path) -> None:
    path = run_folder(tmp_path / "elsewhere" / "theirs", *STEPS, VAL)
    controller = TrainController(view)
    controller.open(f" {path}")
    assert controller.run is not None and controller.run.name == "theirs"
    assert [row.label for row in view.show_runs.call_args.args[0]] == ["theirs"]
    controller.set_project(project)  # without runs of its own the project leaves it there
    assert controller.run.path == path
    controller.open(str(tmp_path))
    assert "not a run folder" in view.notify.call_args.args[0]
    assert controller.run.path == path


def test_a_run_started_elsewhere_appears_by_itself(view: Any, project: Project) -> None:
    controller = TrainController(view)
    controller.set_project(project)
    run_folder(project.runs_folder / "elsewhere", *STEPS)
    for _ in range(train.RUNS_EVERY):
        controller.tick()
    assert controller.run is not None and controller.run.name == "elsewhere"


def test_the_curve_is_sent_only_when_lines_came(view: Any, project: Project) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    controller = TrainController(view)
    controller.set_project(project)
    view.show_curve.reset_mock()
    controller.tick()
    view.show_curve.assert_not_called()
    add(folder, kind="step", stage="train", step=6, steps=10, loss=1.0, losses={"mask": 0.25})
    controller.tick()
    curve = view.show_curve.call_args.args[0]
    assert curve.losses.tolist() == [1.25, 1.0]
    assert curve.parts["mask"][:, 0].tolist() == [5, 6]
    # a resumed run takes back what came after its checkpoint
    add(folder, kind="resume", stage="train", step=5, steps=10)
    add(folder, kind="step", stage="train", step=6, steps=10, loss=3.0)
    controller.tick()
    assert view.show_curve.call_args.args[0].losses.tolist() == [1.25, 3.0]


def test_a_failure_shows_the_end_of_the_log_and_whence_to_go_on(view: Any, project: Project) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    make_active(folder)
    (folder / "log.txt").write_text("\n".join(f"line {index}" for index in range(50)))
    controller = TrainController(view)
    controller.set_project(project)
    checkpoint = folder / "checkpoints" / "c"
    checkpoint.mkdir(parents=True)
    (checkpoint / "weights.safetensors").write_bytes(b"")
    (folder / "checkpoints" / "last.json").write_text(json.dumps({"folder": "c", "id": "c", "step": 3000}))
    add(folder, kind="error", message="out of memory; use a smaller batch")
    controller.tick()
    panel = shown(view)
    assert panel.state == "failed" and panel.resume_from == 3000
    assert panel.message == "out of memory; use a smaller batch  Resume goes on from step 3,000."
    assert panel.log.splitlines()[-1] == "line 49"
    assert "out of memory" in view.notify.call_args.args[0]
    controller.tick()
    assert view.notify.call_count == 1


def test_stop_asks_and_what_does_not_answer_is_told(
    view: Any, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    make_active(folder)
    controller = TrainController(view)
    controller.set_project(project)
    told: list[str] = []

    def tell(word: str) -> Any:
        def act(worker: dict[str, Any]) -> bool:
            told.append(word)
            return True

        return act

    monkeypatch.setattr("pointanno.runs.stopping.terminate", tell("terminate"))
    monkeypatch.setattr("pointanno.runs.stopping.kill_tree", tell("kill"))
    now = [100.0]
    controller.stop()
    assert RunFolder(folder).control()["stop"] is True
    assert shown(view).state == "stopping" and not shown(view).can_stop
    stopping = controller._stopping
    assert stopping is not None
    stopping._clock = lambda: stopping._asked + now[0]
    now[0] = 5.0
    controller.tick()
    assert told == [] and "told to end in 5 s" in shown(view).message
    now[0] = 11.0
    controller.tick()
    assert told == ["terminate"] and "killed in 9 s" in shown(view).message
    now[0] = 20.0
    controller.tick()
    assert told == ["terminate", "kill"]
    assert shown(view).state == "stopped" and shown(view).can_resume


def test_pause_and_go_on(view: Any, project: Project) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    make_active(folder)
    controller = TrainController(view)
    controller.set_project(project)
    controller.pause()
    assert RunFolder(folder).control() == {"pause": True}
    panel = shown(view)
    assert (panel.state, panel.paused) == ("paused", True) and "ETA" not in panel.line
    controller.pause()
    assert RunFolder(folder).control() == {"pause": False}
    assert shown(view).state == "running"


def test_resume_of_a_finished_run_is_refused_in_words(view: Any, project: Project) -> None:
    run_folder(project.runs_folder / "a", *STEPS, {"kind": "end", "reason": "finished"})
    controller = TrainController(view)
    controller.set_project(project)
    controller.resume()
    assert "finished" in view.notify.call_args.args[0]


def test_new_checkpoints_are_announced(view: Any, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run_folder(project.runs_folder / "a", *STEPS)
    controller = TrainController(view)
    seen: list[str] = []
    controller.checkpoint_changed.connect(seen.append)
    controller.set_project(project)
    monkeypatch.setattr(RunFolder, "checkpoint_id", lambda self, name="best": "c1")
    controller.tick()
    controller.tick()
    assert seen == ["c1"]


def test_objects_that_came_since(view: Any, project: Project) -> None:
    run_folder(project.runs_folder / "a", *STEPS, boxes=0, clicks=1)
    controller = TrainController(view)
    image = project.images()[0]
    for number in range(3):
        payload = {"uid": f"{number:032x}", "category_id": 1, "x": 3, "y": number}
        project.record("click", payload, image_id=image.id)
    controller.set_project(project)
    assert view.show_news.call_args.args == ("+2 new objects since start — retrain?",)
    uid = "f" * 32
    box = {"uid": uid, "category_id": 1, "box": [2, 2, 12, 12], "point_coords": [[3, 3]]}
    project.record("box", box, image_id=image.id)
    for _ in range(train.NEWS_EVERY):
        controller.tick()
    assert view.show_news.call_args.args == ("+3 new objects since start — retrain?",)
    run_folder(project.runs_folder / "b", *STEPS)  # of a version that did not count
    controller.choose(str(project.runs_folder / "b"))
    assert view.show_news.call_args.args == ("",)


def test_load_of_the_machine_while_a_run_is_active(view: Any, project: Project) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS, STEPS[2] | {"step": 6})
    make_active(folder)
    gpu = GpuReading(0, "H200", 0.61, 9 * 2**30, 139 * 2**30, 7 * 2**30)
    machine = MagicMock(spec=Machine)
    machine.read.return_value = MachineReading(0.5, 16, 2**33, 2**34, 2**30, 3.25, (gpu,))
    controller = TrainController(view, machine=machine)
    controller._on_shown()
    devices = [device.name for device in view.show_systems.call_args.args[1]]
    assert devices == ["auto", "cuda:0", "cpu"]
    controller.set_project(project)
    for _ in range(train.MACHINE_EVERY):
        controller.tick()
    text = view.show_machine.call_args.args[0]
    assert text.splitlines() == [
        "GPU0 H200 61 % · 9.0/139 GB (this run 7.0)",
        # 0.5 s of waiting in steps of 6 pictures at 3 a second
        "CPU 8.0/16 (this run 3.2) · 8.0/16 GB (this run 1.0) · data wait 25 %",
    ]
    assert machine.read.call_args.args[0]["pid"] == os.getpid()
    add(folder, kind="end", reason="finished")
    controller.tick()
    assert view.show_machine.call_args.args == ("",)


def test_memory_is_asked_for_when_the_gpu_is_full(view: Any, project: Project) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    asked: list[int] = []
    controller = TrainController(view)
    controller.memory_needed.connect(lambda: asked.append(1))
    controller.set_project(project)
    add(folder, kind="warn", message="the GPU memory was full at step 6: from now on at most 2 pictures at a time")
    controller.tick()
    controller.tick()
    assert asked == [1]
    assert "GPU memory was full" in shown(view).hints[0]


def test_comparison_of_runs(view: Any, project: Project) -> None:
    first = run_folder(project.runs_folder / "a", *STEPS, VAL)
    second = run_folder(project.runs_folder / "b", *STEPS, {**STEPS[2], "step": 6, "loss": 0.75})
    controller = TrainController(view)
    controller.compare((str(first), str(second)))
    curves, table = view.show_comparison.call_args.args
    assert curves["b"].losses.tolist() == [1.25, 0.75]
    assert table.head == ("", "a", "b")
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["loss"] == ("1.25", "1") and rows["best ap"] == ("0.4", "-")
    assert not any(name.startswith("recipe") for name in rows), "both have the same recipe"
    third = run_folder(project.runs_folder / "c", *STEPS)
    controller.compare((str(first), str(third)))
    rows = {row[0]: row[1:] for row in view.show_comparison.call_args.args[1].rows}
    assert rows["recipe: train.rate"] == ("4", "3")
    controller.compare((str(first),))
    assert view.show_comparison.call_args.args[0] == {}
    controller.compare((str(first), str(project.path)))
    assert "not a run folder" in view.notify.call_args.args[0]


def test_the_curve_as_csv(view: Any, project: Project, tmp_path: Path) -> None:
    run_folder(project.runs_folder / "a", *STEPS, VAL)
    controller = TrainController(view)
    controller.set_project(project)
    controller.export(str(tmp_path / "curve.csv"))
    with (tmp_path / "curve.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["stage", "step", "time", "name", "value"],
        ["train", "5", "1.0", "loss", "1.25"],
        ["train", "5", "1.0", "mask", "0.5"],
        ["train", "5", "1.0", "val_ap", "0.4"],
        ["train", "5", "1.0", "val_ap50", "0.7"],
    ]
    assert "4 rows written" in view.notify.call_args.args[0]
    controller.export(str(tmp_path / "none" / "curve.csv"))
    assert "choose a folder that you may write to" in view.notify.call_args.args[0]


@pytest.mark.parametrize("wished", [True, False])
def test_what_happens_to_a_run_when_the_window_closes(view: Any, project: Project, wished: bool) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    make_active(folder)
    view.stops_with_window = wished
    warm = MagicMock()
    controller = TrainController(view, warm=warm)
    controller.set_project(project)
    controller._on_shown()
    warm.start.assert_called_once()
    controller.leave()
    warm.close.assert_called_once()
    assert RunFolder(folder).control().get("stop", False) is wished


def test_a_run_that_is_damaged_is_a_hint(view: Any, project: Project) -> None:
    folder = run_folder(project.runs_folder / "a", *STEPS)
    controller = TrainController(view)
    controller.set_project(project)
    (folder / "environment.json").write_text("{")
    for _ in range(train.HINTS_EVERY):
        controller.tick()
    assert "damaged" in shown(view).hints[0] and shown(view).line.startswith("step 5/10")
