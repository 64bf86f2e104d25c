from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import orjson
import pytest

from pointanno.runs.events import EventReader, EventWriter


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def test_written_lines_are_read_incrementally(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    reader = EventReader(path)
    assert reader.read() == []
    writer = EventWriter(path)
    writer.write("hello", stages=["a"])
    assert [event["kind"] for event in reader.read()] == ["hello"]
    with path.open("ab") as file:
        file.write(b'{"kind": "st')
    assert len(reader.read()) == 1, "half a line is not an event yet"
    with path.open("ab") as file:
        file.write(b'ep", "stage": "a", "step": 1}\n')
    assert [(event["kind"], event["line"]) for event in reader.read()] == [("hello", 1), ("step", 2)]


def test_a_line_torn_by_a_crash_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventWriter(path).write("hello")
    with path.open("ab") as file:
        file.write(b'{"kind": "st')
    EventWriter(path).write("end")
    assert [event["kind"] for event in EventReader(path).read()] == ["hello", "end"]


def test_lines_that_say_nothing_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        '{"kind":"step"}\n[]\nnull\n{"kind":"val","stage":"a","step":1}\n{"kind":"stage"}\n{"kind":"end"}\n'
    )
    assert EventReader(path).read() == [{"kind": "end", "time": 0.0, "line": 6}]


def test_resume_makes_later_lines_void(tmp_path: Path) -> None:
    writer = EventWriter(tmp_path / "events.jsonl")
    writer.write("hello", stages=["a", "b"])
    for stage in "ab":
        writer.write("stage", stage=stage, step=0)
        for step in (1, 2, 3):
            writer.write("step", stage=stage, step=step)
    writer.write("warn", message="stays")
    writer.write("hello", stages=["a", "b"])
    writer.write("resume", stage="b", step=1)
    writer.write("step", stage="b", step=2)
    events = EventReader(tmp_path / "events.jsonl").read()
    steps = [(event["stage"], event["step"]) for event in events if event["kind"] == "step"]
    assert steps == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("b", 2)]
    assert [event["message"] for event in events if event["kind"] == "warn"] == ["stays"]
    writer.write("resume", stage="a", step=2)
    events = EventReader(tmp_path / "events.jsonl").read()
    assert [(e["stage"], e["step"]) for e in events if e["kind"] == "step"] == [("a", 1), ("a", 2)]
    assert [e["stage"] for e in events if e["kind"] == "stage"] == ["a"]


def test_full_disk_is_told_once_and_does_not_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    writer.write("hello")

    def full(*args: object, **options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        writer.write("step", step=1)
        writer.write("step", step=2)
    assert capsys.readouterr().err.count("No space left") == 1
    writer.write("end")
    assert [event["kind"] for event in EventReader(path).read()] == ["hello", "end"]


def test_a_reader_starts_over_when_the_file_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    writer = EventWriter(path)
    writer.write("hello", stages=["a"])
    writer.write("end")
    reader = EventReader(path)
    assert len(reader.read()) == 2
    path.write_bytes(b'{"kind": "x"}\n')
    assert [event["kind"] for event in reader.read()] == ["x"]


def test_lines_with_words_for_numbers_are_passed_over(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(
        b'{"kind":"step","stage":"a","step":1}\n{"kind":"resume","step":"a"}\n{"kind":5}\n{"kind":"val","value":"x"}\n'
    )
    assert [event["kind"] for event in EventReader(file).read()] == ["step"]
