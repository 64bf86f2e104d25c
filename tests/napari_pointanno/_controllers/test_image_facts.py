from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pointanno.formats import read_dataset


def _ask(desktop: Any, signal: str, *values: Any) -> None:
    """What the dock would emit."""
    for call in getattr(desktop.view, signal).connect.call_args_list:
        call.args[0](*values)


def _strip(desktop: Any) -> Any:
    return desktop.view.show_strip.call_args.args[0]


def test_a_flag_with_a_reason_by_two_keys(desktop: Any) -> None:
    desktop.person.key("L")
    assert _strip(desktop).title == "Flag this image for review:"
    assert "1 class unclear" in desktop.canvas.drawing.hint
    desktop.person.key("1")
    assert _strip(desktop) is None
    (flag,) = desktop.session.annotations.flags
    assert (flag.uid, flag.reason) == ("", "class unclear")
    assert desktop.session.category_id == 1, "the digit was an answer, no class"
    assert desktop.events("class_set") == []
    assert desktop.canvas.drawing.hint == "flagged: class unclear"
    assert desktop.view.show_now.call_args.args[0].note == "flagged: class unclear"


def test_the_key_again_or_enter_flags_without_a_reason(desktop: Any) -> None:
    for again in ("L", "Return"):
        desktop.person.key("L")
        desktop.person.key(again)
        assert [flag.reason for flag in desktop.session.annotations.flags] == [""]
        desktop.person.key("L")
        assert (0, "no flag") in _strip(desktop).entries
        desktop.person.key("0")
        assert desktop.session.annotations.flags == ()
    desktop.person.key("Ctrl+Z")
    assert len(desktop.session.annotations.flags) == 1


def test_escape_leaves_and_other_keys_mean_what_they_always_mean(desktop: Any) -> None:
    desktop.person.key("L")
    desktop.person.key("Escape")
    assert _strip(desktop) is None
    assert desktop.canvas.drawing.hint == ""
    desktop.person.key("L")
    desktop.person.key("8")
    assert _strip(desktop) is not None, "no such reason: the strip waits"
    desktop.person.key("N")
    assert (_strip(desktop), desktop.session.row) == (None, 1)
    assert desktop.events("flag") == []
    desktop.person.key("2")
    assert desktop.session.category_id == 2


def test_another_image_closes_the_strip(desktop: Any) -> None:
    desktop.person.key("K")
    _ask(desktop, "row_chosen", 2)
    assert _strip(desktop) is None
    desktop.person.key("1")
    assert desktop.events("skip_image") == []


def test_the_selected_object_is_flagged(desktop: Any) -> None:
    desktop.person.click(30, 30)
    desktop.person.click(30, 30)
    uid = desktop.session.selected
    assert uid is not None
    desktop.person.key("L")
    assert "object" in _strip(desktop).title
    desktop.person.key("2")
    (flag,) = desktop.session.annotations.flags
    assert (flag.uid, flag.reason) == (uid, "border unclear")


def test_a_reason_in_ones_own_words(desktop: Any) -> None:
    desktop.person.key("L")
    desktop.person.key("9")
    desktop.view.ask_words.assert_called_once_with()
    focused = desktop.canvas.focused
    _ask(desktop, "strip_words", "  two labels?  ")
    assert [flag.reason for flag in desktop.session.annotations.flags] == ["two labels?"]
    assert desktop.canvas.focused == focused + 1
    desktop.person.key("L")
    desktop.person.key("9")
    _ask(desktop, "strip_left")
    assert (_strip(desktop), len(desktop.events("flag"))) == (None, 1)


def test_an_image_is_left_out_and_taken_in_again(desktop: Any) -> None:
    desktop.person.key("K")
    desktop.person.key("1")
    assert desktop.session.row == 1, "on to the next one"
    desktop.person.key("B")
    assert desktop.session.image.skipped == "out of focus or too dark"
    desktop.person.key("K")
    desktop.person.key("0")
    assert (desktop.session.image.skipped, desktop.session.row) == (None, 0)
    assert desktop.canvas.drawing.hint == "image taken in again"


def test_a_box_that_is_asked_about_is_left_out(desktop: Any) -> None:
    desktop.person.key("W")
    desktop.person.drag(10, 10, 40, 40)
    uid = desktop.session.asked.box_uid
    desktop.person.key("F")
    desktop.person.key("K")
    assert _strip(desktop).title == "Do not ask about this box:"
    desktop.person.key("2")
    assert desktop.session.asked is None
    assert [box.answers for box in desktop.session.annotations.boxes] == [("object", "skip", "skip")]
    (event,) = desktop.events("skip_box")
    assert dict(event.payload) == {"uid": uid, "reason": "too small or hidden"}


def test_complete_for_things_and_for_stuff(desktop: Any) -> None:
    _ask(desktop, "complete_chosen", True, False)
    image = desktop.session.image
    assert (image.complete_things, image.complete_stuff, image.state) == (True, False, "in_progress")
    now = desktop.view.show_now.call_args.args[0]
    assert (now.complete_things, now.complete_stuff) == (True, False)
    desktop.person.key("Shift+D")
    assert _strip(desktop).title == "Complete (things now):"
    desktop.person.key("3")
    assert desktop.session.image.state == "complete"
    desktop.person.key("Shift+D")
    desktop.person.key("0")
    assert desktop.session.image.state == "unlabelled"
    assert desktop.canvas.drawing.hint == "not complete any more"
    assert len(desktop.events("complete")) == 3
    _ask(desktop, "complete_chosen", False, False)
    assert len(desktop.events("complete")) == 3, "no news, no event"


def test_done_sets_both_and_goes_on(desktop: Any) -> None:
    desktop.person.key("D")
    assert desktop.session.row == 1
    assert desktop.session.pages.row(0).state == "complete"
    assert desktop.view.show_row.call_args.args == (1, 1, 3)
    desktop.person.key("B")
    desktop.person.key("D")
    assert len(desktop.events("complete")) == 1
    desktop.person.key("N")
    desktop.person.key("D")
    assert (desktop.session.row, desktop.canvas.drawing.hint) == (2, "done: this was the last image")


def test_what_could_not_be_saved_is_not_shown(desktop: Any, monkeypatch: Any) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("disk")

    monkeypatch.setattr(desktop.project, "record", fail)
    _ask(desktop, "complete_chosen", True, True)
    now = desktop.view.show_now.call_args.args[0]
    assert (now.complete_things, now.complete_stuff) == (False, False)
    desktop.person.key("L")
    desktop.person.key("1")
    assert desktop.view.show_now.call_args.args[0].note == ""
    desktop.person.key("D")
    assert desktop.session.row == 0


def test_from_the_window_to_the_exported_file(desktop: Any, tmp_path: Path) -> None:
    """Exhaustive clicks as pseudo-labels need them: complete by kind, absent classes, flags and omissions."""
    person = desktop.person
    person.click(20, 30)
    person.key("Shift+2")
    person.key("Shift+4")
    person.key("Shift+D")
    person.key("1")
    person.key("N")
    person.key("L")
    person.key("6")
    person.key("D")
    person.key("K")
    person.key("3")
    desktop.project.write_coco_point(tmp_path / "out.json")
    written = json.loads((tmp_path / "out.json").read_text())
    own = {image["file_name"]: image["pointanno"] for image in written["images"]}
    assert own["a.png"]["complete"] == {"things": True, "stuff": False}
    assert own["a.png"]["absent_category_ids"] == [2, 4]
    assert own["b.png"]["complete"] == {"things": True, "stuff": True}
    assert own["b.png"]["flag"] == "ask somebody"
    assert own["c.png"]["skipped"] == "duplicate"
    assert "complete" not in own["c.png"]
    assert written["pointanno"]["exhaustive_things"] is False, "nobody said so of the third"
    assert [entry["point_coords"] for entry in written["point_annotations"]] == [[[20, 30]]]
    again = {image.file_name: image for image in read_dataset(tmp_path / "out.json").images}
    assert again["a.png"].complete == {"things": True, "stuff": False}
    assert again["a.png"].absent_category_ids == (2, 4)
    assert (again["b.png"].flag, again["c.png"].skipped) == ("ask somebody", "duplicate")
