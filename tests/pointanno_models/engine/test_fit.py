from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import torch

from pointanno.errors import InputError
from pointanno.runs import RunFolder
from pointanno_models.engine.worker import train

MakeRun = Callable[..., RunFolder]


def losses(run: RunFolder) -> list[tuple[str, int, float]]:
    """(stage, step, loss) of all steps that are not void."""
    return [(e["stage"], e["step"], e["loss"]) for e in run.events() if e["kind"] == "step"]


def test_run_folder_holds_what_was_promised(make_run: MakeRun) -> None:
    run = make_run("run", "train.steps=7")
    outcome = train(run)
    assert (outcome["reason"], outcome["stage"], outcome["step"]) == ("finished", "second", 7)
    names = {path.name for path in run.path.iterdir()}
    assert {"recipe.toml", "data.json", "environment.json", "events.jsonl", "checkpoints", "metrics.csv"} <= names
    assert run.recipe()["train"]["steps"] == 7
    environment = run.environment()
    assert environment["seed"] == 0 and environment["device"] == "cpu" and environment["versions"]["torch"]
    kinds = [event["kind"] for event in run.events()]
    assert kinds[0] == "hello" and kinds[-1] == "end"
    assert kinds.count("stage") == 2 and kinds.count("step") == 14
    step = next(event for event in run.events() if event["kind"] == "step")
    wanted = {"kind", "time", "stage", "step", "steps", "loss", "losses", "images_per_second", "eta_s", "gpu_memory"}
    assert wanted <= step.keys()
    assert step["loss"] == pytest.approx(sum(step["losses"].values()))
    status = run.status()
    assert (status.state, status.step, status.steps, status.stage) == ("finished", 7, 7, "second")
    with run.metrics_file.open() as file:
        rows = list(csv.DictReader(file))
    assert sum(row["name"] == "loss" for row in rows) == 14


def test_stopped_and_resumed_gives_the_same_losses(make_run: MakeRun) -> None:
    whole, parts = make_run("whole"), make_run("parts")
    train(whole)
    for stop_after in (4, 15):
        count = 0

        def listen(event: dict[str, Any], limit: int = stop_after) -> None:
            nonlocal count
            count += event["kind"] == "step"
            if event["kind"] == "step" and count == limit:
                parts.request_stop()

        assert train(parts, listener=listen)["reason"] == "stopped"
        assert count == stop_after, "must stop within one step"
        assert parts.status().state == "stopped"
        assert parts.control() == {}
    assert train(parts)["reason"] == "finished"
    assert losses(parts) == losses(whole)
    assert len(losses(whole)) == 24


def test_what_a_system_left_out_is_told(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    from toy_points.system import ToyPoints  # type: ignore[import-not-found]

    monkeypatch.setattr(ToyPoints, "notes", ("two pictures were left out",))
    run = make_run("run", "train.steps=2")
    train(run)
    told = [event["message"] for event in run.events() if event["kind"] == "warn"]
    assert told == ["two pictures were left out"] * 2  # each of the two stages reads the data
    assert "two pictures were left out" in run.log_file.read_text()


def test_a_lost_pointer_costs_some_steps_not_all(make_run: MakeRun) -> None:
    whole, parts = make_run("whole"), make_run("parts")
    train(whole)

    def listen(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and (event["stage"], event["step"]) == ("second", 4):
            parts.request_stop()

    assert train(parts, listener=listen)["reason"] == "stopped"
    (parts.checkpoints_folder / "last.json").write_bytes(b"")
    before = parts.checkpoint("best")
    assert before is not None
    assert train(parts)["reason"] == "finished"
    [resumed] = [event for event in parts.events() if event["kind"] == "resume"]
    assert (resumed["stage"], resumed["step"]) > ("first", 0)
    assert losses(parts) == losses(whole)


def test_loss_that_is_not_finite_is_left_out_and_told(make_run: MakeRun) -> None:
    run = make_run("nan", "trouble.nan_at=2")
    train(run)
    steps = [event for event in run.events() if event["kind"] == "step"]
    assert len(steps) < 24
    assert all(orjson.loads(orjson.dumps(event["loss"])) is not None for event in steps)
    [warning, *_] = [event["message"] for event in run.events() if event["kind"] == "warn"]
    assert "not finite" in warning


def test_full_memory_halves_the_micro_batch(make_run: MakeRun) -> None:
    run = make_run("oom", "trouble.largest_batch=1", "train.batch_size=4")
    assert train(run)["reason"] == "finished"
    warnings = [event["message"] for event in run.events() if event["kind"] == "warn"]
    assert any("at most 2 pictures" in text for text in warnings)
    assert any("at most 1 pictures" in text for text in warnings)


@pytest.fixture
def repeatable_again() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False


@pytest.mark.usefixtures("repeatable_again")
def test_deterministic_mode(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run("run", 'network.stages=["only"]', steps=3, deterministic=True)
    plain = make_run("plain", 'network.stages=["only"]', steps=3)
    train(plain)
    assert not torch.are_deterministic_algorithms_enabled()
    train(run)
    assert torch.are_deterministic_algorithms_enabled() and torch.backends.cudnn.deterministic
    assert losses(run) == losses(plain), "one thread on a processor repeats anyway"

    def blocked(*given: Any) -> Any:
        raise RuntimeError("some_backward_cuda does not have a deterministic implementation, but you set ...")

    monkeypatch.setattr("pointanno_models.engine.stage.StageTrainer.train_step", blocked)
    refused = make_run("refused", deterministic=True)
    with pytest.raises(InputError, match="--deterministic: some_backward_cuda has no repeatable form on this device"):
        train(refused)
    assert "some_backward_cuda" in refused.status().message


def test_changed_data_are_refused(make_run: MakeRun) -> None:
    run = make_run("changed")
    run.data_file.write_bytes(run.data_file.read_bytes() + b" ")
    with pytest.raises(InputError, match="frozen data were changed"):
        train(run)
    assert run.status().state == "failed"
    assert "frozen data" in run.status().message
