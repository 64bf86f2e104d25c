from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import napari
import pytest

from napari_pointanno import commands, preferences
from pointanno.errors import InputError
from pointanno.formats import FORMATS, read_dataset


@pytest.fixture
def bench(desktop: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session behind the commands; what they ask the dock for is on `bench.asked`."""
    view = desktop.view
    asked: list[tuple[str, tuple[Any, ...]]] = []
    for name in ("mode_chosen", "next_requested", "previous_requested", "unlabelled_requested", "done_requested",
                 "undo_requested", "redo_requested", "keys_requested"):  # fmt: skip
        setattr(view, name, MagicMock(emit=lambda *given, name=name: asked.append((name, given))))
    made = SimpleNamespace(annotate=desktop.controller, view=view, asked=asked)
    monkeypatch.setattr(commands, "_bench", lambda: made)
    return made


@pytest.mark.parametrize(
    ("command", "asked"),
    [
        (commands.one_point, ("mode_chosen", ("single_point",))),
        (commands.several_points, ("mode_chosen", ("multi_point",))),
        (commands.box_points, ("mode_chosen", ("box_points",))),
        (commands.masks, ("mode_chosen", ("mask",))),
        (commands.review, ("mode_chosen", ("review",))),
        (commands.next_image, ("next_requested", ())),
        (commands.previous_image, ("previous_requested", ())),
        (commands.next_unlabelled, ("unlabelled_requested", ())),
        (commands.complete, ("done_requested", ())),
        (commands.undo, ("undo_requested", ())),
        (commands.redo, ("redo_requested", ())),
        (commands.show_keys, ("keys_requested", ())),
    ],
)
def test_a_command_does_what_the_button_does(bench: Any, command: Callable[[], None], asked: Any) -> None:
    command()
    assert bench.asked == [asked]


def test_without_a_project_they_say_so(bench: Any) -> None:
    bench.annotate.close()
    bench.view.notify.reset_mock()
    for command in (commands.undo, commands.export_coco_points, commands.review, commands.find_class):
        command()
    assert bench.asked == []
    assert [call.args[0] for call in bench.view.notify.call_args_list] == [
        "Open a project first: “PointAnno: open project”, or try the demo"
    ] * 4


def test_the_search_box_gets_the_cursor(bench: Any) -> None:
    commands.find_class()
    bench.view.focus_search.assert_called_once_with()


def test_without_a_window_there_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(napari, "current_viewer", lambda: None)
    with pytest.raises(InputError, match="no napari window"):
        commands.open_project()


def test_every_format_has_a_command() -> None:
    assert set(commands.ENDINGS) == set(FORMATS)


@pytest.mark.gui
def test_an_export_runs_in_the_background_and_says_where(bench: Any, desktop: Any, qtbot: Any) -> None:
    desktop.person.click(7, 3)
    before = len(desktop.notified())
    commands.export_coco_points()
    commands.export_coco_panoptic()
    qtbot.waitUntil(lambda: len(desktop.notified()) >= before + 2, timeout=20_000)
    text = "\n".join(desktop.notified()[before:])
    path = desktop.project.exports_folder / f"{desktop.project.path.stem}.coco-points.json"
    assert f"exported to {path}: 0 boxes with 0 points and 1 clicks on 3 images (coco-point)" in text
    assert "coco-panoptic keeps masks only" in text
    assert len(read_dataset(path).targets) == 1


@pytest.mark.gui
def test_before_napari_0_9_the_file_is_opened(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from qtpy.QtGui import QDesktopServices

    opened: list[Any] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toLocalFile()))
    monkeypatch.setattr(preferences, "has_page", lambda: False)
    commands.edit_preferences()
    assert opened == [str(preferences.file_path())]
    assert "[keyboard]" in Path(opened[0]).read_text()


@pytest.mark.gui
def test_a_folder_that_cannot_be_written_is_said(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preferences, "has_page", lambda: False)
    preferences.file_path().parent.write_text("a file where the folder should be")
    commands.edit_preferences()
    assert "cannot be written" in bench.view.notify.call_args.args[0]
