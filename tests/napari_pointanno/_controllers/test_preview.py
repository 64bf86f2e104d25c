from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_pointanno._controllers.preview import PreviewController
from napari_pointanno._views.train_view import TrainView
from pointanno.formats.rle import rle_area
from pointanno.project import Project
from pointanno.runs import PreviewClient, PreviewReply, RunFolder


class Later:
    """Runs what was scheduled when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, _: int, function: Callable[[], None]) -> None:
        self.waiting.append(function)

    def run(self) -> None:
        waiting, self.waiting = self.waiting, []
        for function in waiting:
            function()


class Preview:
    def __init__(self, project: Project) -> None:
        self.project = project
        self.view: Any = MagicMock(spec=TrainView)
        self.client: Any = MagicMock(spec=PreviewClient)
        self.client.poll.return_value = None
        self.run: Any = MagicMock(spec=RunFolder)
        self.run.name = "run"
        self.run.status.return_value.is_active = False
        self.run.checkpoint_id.return_value = "c1"
        self.later = Later()
        self.controller = PreviewController(ViewerModel(), self.view, self.later, lambda: self.client)
        self.images = project.images()
        self.controller.set_project(project)
        self.controller.set_image(self.images[0])
        self.controller.set_run(self.run)

    def reply(self, image: int = 0, checkpoint: str = "c1", error: str = "") -> None:
        labels = np.zeros((60, 80), dtype=np.uint16)
        labels[:5, :5] = 3
        segments = [{"id": 3, "category_id": 1, "isthing": True, "score": 0.9, "area": 25}]
        self.client.poll.return_value = PreviewReply(
            self.images[image].id, checkpoint_id=checkpoint, labels=labels, segments=segments, error=error
        )

    @property
    def text(self) -> str:
        text: str = self.view.show_preview.call_args.args[1]
        return text


@pytest.fixture
def preview(project: Project) -> Preview:
    return Preview(project)


def test_off_asks_nothing(preview: Preview) -> None:
    assert preview.later.waiting == []


def test_on_asks_and_shows(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.later.run()
    preview.client.request.assert_called_once_with(preview.images[0].path, preview.images[0].id, "best")
    preview.later.run()
    assert preview.controller.layer.layer is None
    preview.reply()
    preview.later.run()
    assert preview.controller.layer.layer is not None
    assert preview.text == "1 segment by run"
    assert [event.kind for event in preview.project.events() if event.kind.startswith("preview")] == ["preview_visible"]


def _visible(preview: Preview) -> list[str]:
    return [event.kind for event in preview.project.events() if event.kind.startswith("preview")]


def test_the_log_tells_when_it_was_visible(preview: Preview) -> None:
    preview.controller.switch(False)  # it is off
    assert _visible(preview) == []
    preview.controller.switch(True)
    preview.later.run()
    preview.reply()
    preview.later.run()
    layer: Any = preview.controller.layer.layer
    assert layer.visible and _visible(preview) == ["preview_visible"]
    layer.visible = False  # the eye in napari's list
    assert _visible(preview) == ["preview_visible", "preview_hidden"]
    preview.controller.switch(False)
    preview.controller.switch(True)  # what the person has hidden stays hidden
    assert _visible(preview) == ["preview_visible", "preview_hidden"]
    layer.visible = True
    assert _visible(preview)[2:] == ["preview_visible"]
    preview.controller.switch(False)
    assert _visible(preview)[3:] == ["preview_hidden"] and not layer.visible


def test_quick_changes_become_one_request(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.controller.set_image(preview.images[1])
    preview.controller.set_image(preview.images[2])
    preview.later.run()
    preview.client.request.assert_called_once_with(preview.images[2].path, preview.images[2].id, "best")


def test_a_stale_reply_is_dropped(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.later.run()
    preview.controller.set_image(preview.images[1])
    preview.later.run()
    preview.reply(image=0)
    preview.later.run()
    assert preview.controller.layer.layer is None
    preview.reply(image=1)
    preview.later.run()
    assert preview.controller.layer.layer is not None


def test_a_new_checkpoint_asks_again_and_the_same_one_does_not(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.later.run()
    preview.reply()
    preview.later.run()
    preview.controller.on_checkpoint("c1")
    preview.later.run()
    assert preview.client.request.call_count == 1
    preview.run.checkpoint_id.return_value = "c2"
    preview.controller.on_checkpoint("c2")
    preview.later.run()
    assert preview.client.request.call_count == 2


def test_errors_are_shown_and_tried_again(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.later.run()
    preview.reply(checkpoint="", error="a.png: the file is empty")
    preview.later.run()
    assert preview.text == "a.png: the file is empty"
    preview.controller.on_checkpoint("c1")
    preview.later.run()
    assert preview.client.request.call_count == 2


def test_off_hides_the_layer_and_on_shows_it_without_a_request(preview: Preview) -> None:
    preview.controller.toggle()
    preview.later.run()
    preview.reply()
    preview.later.run()
    told, layer = preview.text, preview.controller.layer.layer
    assert layer is not None
    preview.controller.toggle()
    assert (layer.visible, preview.text) == (False, "")
    preview.controller.toggle()
    preview.later.run()
    assert (layer.visible, preview.text) == (True, told)
    assert preview.client.request.call_count == 1
    preview.controller.close()
    preview.client.close.assert_called_once()


def test_the_next_image_takes_the_old_prediction_away(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.later.run()
    preview.reply()
    preview.later.run()
    layer = preview.controller.layer.layer
    preview.controller.set_image(preview.images[1])
    # to remove the layer and to add another one would cost most of a second
    assert preview.controller.layer.layer is layer
    assert layer is not None
    assert layer.data.max() == 0
    assert preview.controller.layer.image_id is None
    preview.controller.set_image(preview.images[0])
    preview.later.run()
    assert preview.client.request.call_count == 2


@pytest.mark.parametrize("what", ["run", "image", "checkpoint"])
def test_what_is_missing_is_said(preview: Preview, what: str) -> None:
    if what == "run":
        preview.controller.set_run(None)
    elif what == "image":
        preview.controller.set_image(None)
    else:
        preview.run.checkpoint_id.return_value = None
    preview.controller.switch(True)
    preview.later.run()
    preview.client.request.assert_not_called()
    assert preview.text in ("no run yet: train first", "no image is shown", "waiting for the first checkpoint")


def test_opacity_acts_on_the_layer(preview: Preview) -> None:
    preview.controller.set_opacity(0.2)
    preview.controller.switch(True)
    preview.later.run()
    preview.reply()
    preview.later.run()
    layer = preview.controller.layer.layer
    assert layer is not None
    assert layer.opacity == 0.2
    preview.controller.set_opacity(0.8)
    assert layer.opacity == 0.8


def test_keys_change_the_opacity_and_the_slider_follows(preview: Preview) -> None:
    preview.controller.switch(True)
    preview.later.run()
    preview.reply()
    preview.later.run()
    layer = preview.controller.layer.layer
    assert layer is not None
    for direction, opacity in ((1, 0.55), (-1, 0.45), (-1, 0.35)):
        preview.controller.step_opacity(direction)
        assert layer.opacity == pytest.approx(opacity)
        assert preview.controller._view.show_opacity.call_args.args == (pytest.approx(opacity),)  # type: ignore[attr-defined]
    for _ in range(12):
        preview.controller.step_opacity(-1)
    assert layer.opacity == pytest.approx(0.1)  # still to be seen
    for _ in range(12):
        preview.controller.step_opacity(1)
    assert layer.opacity == 1.0


def test_a_training_gets_the_memory_of_the_model(preview: Preview) -> None:
    """Nothing to give before the first picture; afterwards the child is asked to unload, and asked again later."""
    preview.controller.make_room()
    preview.client.unload.assert_not_called()
    preview.controller.switch(True)
    preview.later.run()
    preview.controller.make_room()
    preview.client.unload.assert_called_once_with()
    preview.controller.set_image(preview.images[1])
    preview.later.run()
    assert preview.client.request.call_args.args[1] == preview.images[1].id


def test_what_is_shown_can_be_taken_over_with_its_origin(preview: Preview) -> None:
    image = preview.images[0].id
    assert preview.controller.segment_at(image, 2, 2) is None
    preview.controller.switch(True)
    preview.later.run()
    preview.reply()
    preview.later.run()
    found = preview.controller.segment_at(image, 2, 2)
    assert found is not None
    assert (found.category_id, found.suggested_by) == (1, "run c1")
    assert rle_area(found.rle) == 25
    assert preview.controller.segment_at(image, 20, 20) is None
    assert preview.controller.segment_at(preview.images[1].id, 2, 2) is None, "of another image"
    preview.controller.switch(False)
    assert not preview.controller.shows(image)


def test_a_study_locks_it(preview: Preview) -> None:
    """What is shown goes, and nothing brings it back before the study is over."""
    preview.controller.switch(True)
    preview.controller.lock(True)
    assert not preview.controller.on
    preview.later.waiting.clear()
    for bring_back in (preview.controller.toggle, lambda: preview.controller.switch(True)):
        bring_back()
        assert not preview.controller.on and preview.later.waiting == []
        assert preview.text == "locked: a study runs"
    preview.controller.lock(False)
    preview.controller.switch(True)
    assert preview.controller.on and preview.later.waiting
