"""What the window writes beside annotations, read back as the timing core reads it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest

from napari_pointanno._controllers.activity import Activity
from napari_pointanno.keymap import Action, KeyInput, PointerInput
from pointanno.errors import InputError
from pointanno.project import Project
from pointanno.timing.activity import session_time
from pointanno.timing.log import read_log

MS = 1_000_000
SECOND = 1000 * MS


def kinds(desktop: Any) -> list[str]:
    return [event.kind for event in desktop.project.events()]


def newest(desktop: Any) -> Any:
    return list(desktop.project.events())[-1]


# ------------------------------------------------------------------ the first event


def test_a_session_tells_how_everything_stood(desktop: Any) -> None:
    (start,) = desktop.events("session_start")
    facts = start.payload
    assert (facts["mode"], facts["focus"], facts["preview"]) == ("single_point", True, False)
    assert facts["clock"]["resolution_ns"] >= 0 and facts["clock"]["name"]
    assert isinstance(facts["boot_clock"], bool)
    assert abs(facts["utc_ns"] - start.t_wall) < 60 * SECOND
    assert "condition" not in facts


def test_what_a_study_adds(desktop: Any) -> None:
    sitting = desktop.controller.sitting
    sitting.desk.study_facts.update(condition="box+10", order_seed=7)
    desktop.controller.change_annotator("anon-9")
    *_, last = desktop.events("session_start")
    assert (last.payload["condition"], last.payload["order_seed"]) == ("box+10", 7)


def test_preview_that_is_on(desktop: Any) -> None:
    predictions = MagicMock()
    predictions.on = True
    desktop.controller.use_predictions(predictions)
    desktop.controller.change_annotator("anon-9")
    *_, last = desktop.events("session_start")
    assert last.payload["preview"] is True


def test_another_annotator_is_timed_from_the_first_question_on(desktop: Any) -> None:
    person = desktop.person
    person.key("W")
    person.drag(10, 10, 40, 40)
    person.tick()
    desktop.controller.change_annotator("anon-9")
    person.key("F")
    desktop.controller.close()
    with Project.open(desktop.project.path) as again:
        log = read_log(again)
    second = log.sessions[-1]
    assert second.annotator == "anon-9" and second.facts["keys"]
    told = [one.event.kind for one in second.moments]
    assert {"session_start", "point_shown", "image_shown", "answer"} <= set(told)
    assert told.index("point_shown") < told.index("answer")


# ------------------------------------------------------------------ keys and buttons


@pytest.mark.parametrize("key", ["P", "[", "]", "?", "F", "N", "0"])
def test_keys_that_write_nothing_else_are_inputs(desktop: Any, key: str) -> None:
    before = desktop.person.now_ns
    desktop.person.key(key)
    (event,) = desktop.events("key")
    assert (event.payload["key"], event.t_mono_ns) == (key, before + SECOND)


def test_a_key_that_tells_of_itself_is_told_once(desktop: Any) -> None:
    desktop.person.key("W")
    assert desktop.events("key") == []
    assert [event.t_mono_ns for event in desktop.events("mode_set")] == [desktop.person.now_ns]


def test_held_keys_are_inputs_twice(desktop: Any) -> None:
    desktop.person.key("H")
    desktop.person.key("H", released=True)
    assert [event.payload.get("released", False) for event in desktop.events("key")] == [False, True]


def test_keys_in_a_pause_are_nobodys(desktop: Any) -> None:
    desktop.person.key("F10")
    desktop.person.key("F")
    assert desktop.events("key") == [] and len(desktop.events("pause")) == 1


def test_every_event_of_a_key_carries_the_window_systems_stamp(desktop: Any) -> None:
    handler, person = desktop.canvas.handler, desktop.person
    person.click(5, 5)
    for number, (action, key) in enumerate(
        [(Action.UNDO, "Ctrl+Z"), (Action.REDO, "Ctrl+Shift+Z"), (Action.KEYS, "?")]
    ):
        handler.on_key(KeyInput(action, person.tick(), None, key, False, 700 + number))
    events = desktop.events("undo", "redo", "key")
    assert [event.timing for event in events] == [{"qt_ms": 700}, {"qt_ms": 701}, {"qt_ms": 702}]


def test_what_a_release_decides_about_its_press_carries_both_times(desktop: Any) -> None:
    person, handler = desktop.person, desktop.canvas.handler
    person.click(5, 5)
    view = desktop.canvas.transform()
    x, y = view.to_canvas(5.0, 5.0)
    handler.on_press(PointerInput(x, y, 100 * SECOND, 50_000))
    handler.on_release(PointerInput(x, y, 101 * SECOND, 50_900))
    (select,) = desktop.events("select")
    assert (select.t_mono_ns, select.timing) == (100 * SECOND, {"release_ns": 101 * SECOND, "qt_ms": 50_900})
    assert desktop.events("press")[-1].timing == {"qt_ms": 50_000}


def test_a_press_that_means_nothing_is_an_input(desktop: Any) -> None:
    desktop.session.obstacle = "the view is turned"
    desktop.person.press(5, 5)
    desktop.person.release(5, 5)
    assert [event.kind for event in desktop.events("press", "release", "click")] == ["press"]


def test_leaving_a_box_and_taking_it_up_arms_the_tool(desktop: Any) -> None:
    person = desktop.person
    person.key("W")
    person.drag(10, 10, 40, 40)
    uid = desktop.session.asked.box_uid
    person.key("Escape")
    assert desktop.session.asked is None
    left_at = person.now_ns
    person.click(20, 20)
    assert desktop.session.asked is not None
    told = [(event.payload, event.t_mono_ns) for event in desktop.events("tool_armed")]
    assert told == [
        ({"reason": "left", "uid": uid}, left_at),
        ({"reason": "taken up", "uid": uid}, person.now_ns),
    ]


# ------------------------------------------------------------------ moves, wheel, pans


def hover(desktop: Any, x: float, at_ns: int) -> None:
    desktop.canvas.handler.on_hover(PointerInput(x, 100.0, at_ns))


def test_moves_are_written_when_nobody_waits(desktop: Any) -> None:
    handler, start = desktop.canvas.handler, desktop.person.tick()
    for step in range(10):
        hover(desktop, 100 + 10 * step, start + step * 50 * MS)
    hover(desktop, 192, start + 700 * MS)  # 2 px: a trembling hand
    handler.on_one_of_many("wheel", start + 500 * MS)
    handler.on_beat(start + 900 * MS)
    assert desktop.events("pointer", "wheel") == []
    handler.on_beat(start + 1550 * MS)
    (pointer, wheel) = desktop.events("pointer", "wheel")
    assert (pointer.kind, pointer.payload, pointer.t_mono_ns) == ("pointer", {"since_ns": start}, start + 450 * MS)
    assert (wheel.payload["since_ns"], wheel.t_mono_ns) == (start + 500 * MS,) * 2


def test_a_beat_between_keys_writes_nothing(desktop: Any) -> None:
    person, handler = desktop.person, desktop.canvas.handler
    person.key("W")
    person.drag(10, 10, 40, 40)
    desktop.controller.sitting.desk.activity.write()  # the moves of the drag
    before = len(desktop.events("pointer"))
    start = person.tick()
    hover(desktop, 300, start)
    for step in range(1, 80):  # somebody who moves without a rest while a point is asked
        hover(desktop, 300 + 5 * step, start + 100 * step * MS)
        handler.on_beat(start + (100 * step + 50) * MS)
    assert len(desktop.events("pointer")) == before
    person.now_ns = start + 8 * SECOND
    person.key("F")  # the next question is shown: nobody waits
    written = desktop.events("pointer")[before:]
    assert len(written) == 8
    assert all(0 <= event.t_mono_ns - event.payload["since_ns"] < SECOND for event in written)


def test_moves_do_not_wait_for_ever_where_nothing_is_asked(desktop: Any) -> None:
    start = desktop.person.tick()
    for step in range(80):
        hover(desktop, 100 + 5 * step, start + 100 * step * MS)
        desktop.canvas.handler.on_beat(start + (100 * step + 50) * MS)
    assert 5 <= len(desktop.events("pointer")) <= 7


@pytest.mark.parametrize("end", ["close", "abandon"])
def test_nothing_is_lost_at_the_end(desktop: Any, end: str) -> None:
    start = desktop.person.tick()
    hover(desktop, 100, start)
    desktop.canvas.handler.on_one_of_many("pan", start + MS)
    if end == "abandon":
        desktop.view.show_saved.side_effect = RuntimeError("this widget is gone")
    getattr(desktop.controller, end)()
    with Project.open(desktop.project.path) as again:
        told = [event.kind for event in again.events()]
        (log,) = read_log(again).sessions
    assert told[-3:] == ["pointer", "pan", "session_end"]
    assert log.is_complete


def test_nothing_goes_to_the_next_person(desktop: Any) -> None:
    hover(desktop, 100, desktop.person.tick())
    desktop.controller.change_annotator("anon-9")
    (pointer,) = desktop.events("pointer")
    first, second = desktop.events("session_start")
    assert pointer.session == first.session != second.session


def test_the_order_of_writing_does_not_matter(desktop: Any) -> None:
    """Moves that are written after an answer stand before it, and count towards nobody being idle."""
    person, handler = desktop.person, desktop.canvas.handler
    person.key("W")
    person.drag(10, 10, 40, 40)
    start = person.now_ns
    for step in range(1, 6):
        hover(desktop, 100 * step, start + 4 * step * SECOND)  # 20 s without a key
    person.now_ns = start + 24 * SECOND
    person.key("F")
    handler.on_beat(person.now_ns + 2 * SECOND)
    desktop.controller.close()
    with Project.open(desktop.project.path) as again:
        (log,) = read_log(again).sessions
    assert session_time(log).idle.within(start, start + 25 * SECOND) == 0
    told = [one.event.kind for one in log.moments]
    assert max(n for n, kind in enumerate(told) if kind == "pointer") < told.index("answer")


def test_a_full_disk_loses_no_move(desktop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    activity: Activity = desktop.controller.sitting.desk.activity
    hover(desktop, 100, desktop.person.tick())
    desktop.canvas.handler.on_one_of_many("wheel", desktop.person.tick())

    def full(*_: Any, **__: Any) -> None:
        raise InputError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(type(desktop.project), "record", full)
        activity.write()
    assert desktop.events("pointer", "wheel") == []
    activity.write()
    assert [event.kind for event in desktop.events("pointer", "wheel")] == ["pointer", "wheel"]


# ------------------------------------------------------------------ heart


class Clocks:
    def __init__(self) -> None:
        self.cpu = self.slept = 0


@pytest.fixture
def clocks(desktop: Any) -> Clocks:
    """Clocks that are set by hand, from the present of the session on."""
    found = Clocks()
    desk = desktop.controller.sitting.desk
    desk.activity = Activity(desk, cpu_ns=lambda: found.cpu, asleep_ns=lambda: found.slept)
    desk.activity.begin(desktop.person.now_ns)
    return found


def test_a_stall_is_told_whether_something_is_timed_or_not(desktop: Any, clocks: Clocks) -> None:
    start = desktop.person.now_ns
    desktop.session.watch.stop()
    desktop.canvas.handler.on_beat(start + 50 * MS)
    desktop.canvas.handler.on_beat(start + 700 * MS)
    (stall,) = desktop.events("ui_stall")
    assert (stall.t_mono_ns, stall.payload) == (start + 100 * MS, {"ns": 600 * MS, "reason": "stopped"})


def test_a_stall_that_ends_with_an_answer_is_told_after_it(desktop: Any, clocks: Clocks) -> None:
    person, handler = desktop.person, desktop.canvas.handler
    person.key("W")
    person.drag(10, 10, 40, 40)
    handler.on_beat(person.now_ns)
    before = len(desktop.events("ui_stall"))
    desktop.canvas.hold = True  # the frame with the next question is yet to come
    start = person.now_ns
    person.key("F")  # a second later
    assert len(desktop.events("ui_stall")) == before
    handler.on_beat(person.now_ns + 20 * MS)
    assert [event.kind for event in desktop.events("answer", "ui_stall")][-2:] == ["answer", "ui_stall"]
    stall = desktop.events("ui_stall")[-1]
    assert (stall.t_mono_ns, stall.payload["ns"]) == (start + 50 * MS, 950 * MS)


def test_sleep_and_the_hourly_anchor(desktop: Any, clocks: Clocks) -> None:
    start, handler = desktop.person.now_ns, desktop.canvas.handler
    handler.on_beat(start + 50 * MS)
    clocks.slept = 90 * SECOND
    handler.on_beat(start + 100 * MS)
    (sleep,) = desktop.events("suspend")
    assert (sleep.t_mono_ns, sleep.payload) == (
        start + 100 * MS,
        {"since_ns": start + 50 * MS, "slept_ns": 90 * SECOND},
    )
    assert desktop.events("clock_anchor") == []
    handler.on_beat(start + 3600 * SECOND)
    (anchor,) = desktop.events("clock_anchor")
    assert abs(anchor.payload["utc_ns"] - anchor.t_wall) < 60 * SECOND


# ------------------------------------------------------------------ dialogs


def test_a_dialog_that_does_not_tell_of_itself_is_noticed(desktop: Any) -> None:
    handler, start = desktop.canvas.handler, desktop.person.tick()
    desktop.canvas.modal = "Open file"
    handler.on_beat(start)
    handler.on_beat(start + 50 * MS)
    desktop.canvas.modal = "Really?"  # on top of it
    handler.on_beat(start + 100 * MS)
    desktop.canvas.modal = ""
    handler.on_focus(True, start + 130 * MS, "canvas")
    told = [(event.kind[7:], event.payload["reason"]) for event in desktop.events("dialog_open", "dialog_close")]
    assert told == [("open", "Open file"), ("close", "Open file"), ("open", "Really?"), ("close", "Really?")]
    last = desktop.events("dialog_close")[-1]
    assert last.t_mono_ns == start + 130 * MS and last.seq < desktop.events("focus_gained")[-1].seq


def test_a_dialog_that_tells_of_itself_is_told_once(desktop: Any) -> None:
    editing = desktop.controller.sitting.class_editing
    editing.dialog("colour", is_open=True)
    desktop.canvas.modal = "Colour of car"
    desktop.canvas.handler.on_beat(desktop.person.tick())
    desktop.canvas.modal = ""
    editing.dialog("colour", is_open=False)
    desktop.canvas.handler.on_beat(desktop.person.tick())
    assert [event.payload["reason"] for event in desktop.events("dialog_open", "dialog_close")] == ["colour"] * 2


def test_time_in_a_dialog_is_excluded(desktop: Any) -> None:
    handler, start = desktop.canvas.handler, desktop.person.tick()
    for at_ms in range(0, 8000, 50):
        desktop.canvas.modal = "Open file" if at_ms < 7000 else ""
        handler.on_beat(start + at_ms * MS)
    desktop.controller.close()
    with Project.open(desktop.project.path) as again:
        (log,) = read_log(again).sessions
    assert session_time(log).excluded["dialog"].length == 7 * SECOND


def test_a_session_that_is_over_writes_nothing(desktop: Any, reopened: Callable[[Any], Any]) -> None:
    handler = desktop.canvas.handler
    again = reopened(desktop)
    before = len(list(again.project.events()))
    handler.on_beat(10**15)
    handler.on_one_of_many("wheel", 10**15)
    handler.on_hover(PointerInput(1.0, 1.0, 10**15))
    assert len(list(again.project.events())) == before
