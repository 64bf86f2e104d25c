from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

from pointanno.runs import RunFolder
from pointanno_models.engine.journal import Journal


def tell(journal: Journal, stage: str, step: int) -> None:
    journal.step(stage=stage, step=step, steps=9, loss=1.5, losses={"a": 1.0, "b": 0.5}, lr=0.1)


def rows(run: RunFolder) -> list[tuple[str, int, str]]:
    with run.metrics_file.open(newline="") as file:
        return [(row["stage"], int(row["step"]), row["name"]) for row in csv.DictReader(file)]


def test_events_curves_and_listener(make_run: Callable[..., RunFolder]) -> None:
    run = make_run("run")
    heard: list[dict[str, Any]] = []
    journal = Journal(run, listener=heard.append)
    tell(journal, "a", 1)
    journal.warn("careful")
    journal.validation(stage="a", step=1, metric="ap", value=0.5, values={"ap": 0.5}, pictures=2)
    assert [event["kind"] for event in run.events()] == [event["kind"] for event in heard] == ["step", "warn", "val"]
    assert rows(run) == [("a", 1, name) for name in ("loss", "a", "b", "lr", "val_ap")]
    assert "warning: careful" in run.log_file.read_text()


def test_curves_beyond_a_checkpoint_are_dropped(make_run: Callable[..., RunFolder]) -> None:
    run = make_run("run")
    journal = Journal(run)
    for stage in "ab":
        for step in (1, 2):
            tell(journal, stage, step)
    with run.metrics_file.open("ab") as file:
        file.write(b"b,\xff\xfe\n\x00\x00\nb,3,lo")  # torn by a crash, after what a power failure left
    journal.forget_curves_beyond(["a", "b"], "b", 1)
    assert {(stage, step) for stage, step, _ in rows(run)} == {("a", 1), ("a", 2), ("b", 1)}


def test_all_ranks_but_the_first_are_silent(make_run: Callable[..., RunFolder]) -> None:
    run = make_run("run")
    journal = Journal(run, is_silent=True)
    tell(journal, "a", 1)
    journal.warn("careful")
    assert not run.events_file.exists() and not run.metrics_file.exists() and not run.log_file.exists()
