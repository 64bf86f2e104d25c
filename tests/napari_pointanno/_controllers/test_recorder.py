from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from napari_pointanno._controllers.recorder import Recorder
from napari_pointanno._views.annotate_view import AnnotateView
from pointanno.errors import InputError
from pointanno.project import Project


@pytest.fixture
def view() -> Any:
    return MagicMock(spec=AnnotateView)


def test_what_is_safe_is_said(view: Any, project: Project) -> None:
    event = Recorder(project, view).record("pause", {"reason": "key"}, at_ns=5)
    assert event is not None
    assert event.t_mono_ns == 5
    text, ok = view.show_saved.call_args.args
    assert text.startswith("saved ")
    assert ok


@pytest.mark.parametrize("error", [InputError("the disk is full"), OSError("the disk is full")])
def test_what_is_not_safe_is_said_once(view: Any, error: Exception) -> None:
    project = MagicMock(spec=Project)
    project.record.side_effect = project.undo.side_effect = error
    recorder = Recorder(project, view)
    assert recorder.record("pause", {}) is None
    assert recorder.undo() is None
    view.notify.assert_called_once_with("the disk is full")
    project.record.side_effect = None
    assert recorder.record("pause", {}) is not None
    project.record.side_effect = error
    recorder.record("pause", {})
    assert view.notify.call_count == 2


def test_a_sentence_whose_display_is_recorded_itself_is_said_once(view: Any) -> None:
    """A notification that appears takes the keyboard from the canvas, which is an event."""
    project = MagicMock(spec=Project)
    project.record.side_effect = InputError("the disk is full")
    recorder = Recorder(project, view)
    view.notify.side_effect = lambda sentence: recorder.record("focus_lost", {"reason": "dock"})
    assert recorder.record("pause", {}) is None
    view.notify.assert_called_once_with("the disk is full")


def test_a_mistake_of_ours_is_not_hidden(view: Any) -> None:
    project = MagicMock(spec=Project)
    project.record.side_effect = KeyError("x")
    with pytest.raises(KeyError):
        Recorder(project, view).record("pause", {})
