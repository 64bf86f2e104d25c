"""Connects the part *Review* of the dock, and the preview, with the review of whatever session is open."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_pointanno._controllers.modes.review import ReviewMode

if TYPE_CHECKING:
    from napari_pointanno._controllers.annotate import AnnotateController
    from pointanno.project import Project
    from pointanno.runs.preview_client import PreviewReply


class Reviewing:
    """One for each dock; sessions come and go.

    Parameters
    ----------
    annotate : AnnotateController
    """

    def __init__(self, annotate: AnnotateController) -> None:
        self._annotate = annotate
        self._seen: PreviewReply | None = None
        part = annotate.view.review
        part.filter_chosen.connect(lambda key: self.act(lambda review: review.choose(key)))
        part.file_given.connect(lambda path: self.act(lambda review: review.take_file(path)))
        part.verdict_given.connect(lambda verdict: self.act(lambda review: review.decide(verdict)))
        part.step_wanted.connect(lambda delta: self.act(lambda review: review.step(delta)))
        part.left.connect(annotate.take_focus)
        annotate.project_changed.connect(self._on_project)

    def act(self, act: Callable[[ReviewMode], object]) -> None:
        """Go into the review, if need be, and do something about it."""
        review = self._annotate.enter(ReviewMode.name)
        if isinstance(review, ReviewMode):
            act(review)
            self._annotate.take_focus()

    def preview_shown(self, reply: PreviewReply) -> None:
        """The preview shows the prediction of an image."""
        self._seen = reply
        review = self._annotate.mode_named(ReviewMode.name)
        if isinstance(review, ReviewMode):
            review.preview_shown()

    def _on_project(self, project: Project | None) -> None:
        self._seen = None
        review = self._annotate.mode_named(ReviewMode.name)
        if isinstance(review, ReviewMode):
            review.sources.seen = lambda: self._seen
