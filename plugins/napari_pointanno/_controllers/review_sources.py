"""Where the items of a review come from: the project's own lists, a preview, a file of predictions, a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_pointanno._models.review_queue import ReviewFilter
from pointanno.errors import InputError
from pointanno.project.contradictions import (
    PredictionFile,
    contradiction_page,
    contradictions,
    doubtful_items,
    from_label_map,
    runs_with_doubts,
)
from pointanno.project.review_list import EVERYTHING, ReviewPage

if TYPE_CHECKING:
    from pointanno.project import Project, ProjectImage
    from pointanno.runs.preview_client import PreviewReply

PREVIEW, FILE, RUN = "preview", "file:", "run:"
"""Keys of filters beside the project's reasons; the last two are followed by a path."""

Reader = Callable[[int], ReviewPage]
"""From the place of the last image to what waits on the next ones; called in the background."""

FILTERS = (
    ReviewFilter("unsure", "unsure answers", "answered U and not reviewed"),
    ReviewFilter("fast", "fast answers", "given in less than 150 ms: hardly looked at"),
    ReviewFilter("disagreement", "second opinion differs", "two people said different things"),
    ReviewFilter("flagged", "flagged", "flags on objects and images (L)"),
    ReviewFilter("later", "put off", "put off in an earlier review (K)"),
    ReviewFilter(EVERYTHING, "everything", "every click, box and answer that nobody has reviewed"),
)


class ReviewSources:
    """Filters of a project, and the readers behind them.

    Parameters
    ----------
    project : Project
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._files: list[str] = []
        self.seen: Callable[[], PreviewReply | None] = lambda: None
        """The prediction that the preview shows; set by whoever has one."""

    def filters(self, image: ProjectImage | None) -> list[ReviewFilter]:
        """Lines of the list of filters, with counts where they are known."""
        counts = self._project.review_counts()
        found = [replace(one, count=counts[one.key]) for one in FILTERS]
        if self._reply(image) is not None:
            found.append(ReviewFilter(PREVIEW, "differs from the preview", "answers of this image against the preview"))
        for run in runs_with_doubts(self._project):
            tip = "objects whose pseudo-label contradicts their answers"
            found.append(ReviewFilter(f"{RUN}{run}", f"doubtful in run {run.name}", tip))
        for file in self._files:
            found.append(ReviewFilter(f"{FILE}{file}", f"differs from {Path(file).name}", file))
        return found

    def add_file(self, path: str) -> str:
        """Take a file of predictions into the list; returns the key of its filter."""
        if path not in self._files:
            self._files.append(path)
        return f"{FILE}{path}"

    def forget_file(self, key: str) -> None:
        """A file that cannot be used is no filter."""
        self._files = [path for path in self._files if f"{FILE}{path}" != key]

    def reader(self, key: str, image: ProjectImage | None) -> Reader:
        """What reads the items of a filter.

        Parameters
        ----------
        key : of a filter
        image : the image that is shown, for the filter of the preview
        """
        project = self._project
        if key == PREVIEW:
            return self._read_preview(image)
        if key.startswith(RUN):
            return lambda after: ReviewPage(tuple(doubtful_items(project, Path(key.removeprefix(RUN)))), None)
        if key.startswith(FILE):
            loaded: list[PredictionFile] = []

            def read(after: int) -> ReviewPage:
                if not loaded:
                    loaded.append(PredictionFile(Path(key.removeprefix(FILE)).expanduser()))
                return contradiction_page(project, loaded[0], after=after)

            return read
        return lambda after: project.review_page(key, after=after)

    def _read_preview(self, image: ProjectImage | None) -> Reader:
        reply = self._reply(image)
        if reply is None or image is None:
            raise InputError("preview: it shows no prediction of this image. Switch it on and wait for it")
        image_id, project = image.id, self._project
        labels, segments = reply.labels, reply.segments

        def read(after: int) -> ReviewPage:
            prediction = from_label_map(labels, segments)
            return ReviewPage(tuple(contradictions(project.annotations(image_id), prediction)), None)

        return read

    def _reply(self, image: ProjectImage | None) -> PreviewReply | None:
        reply = self.seen()
        if reply is None or image is None or reply.image_id != image.id or reply.labels.shape != image.image_size:
            return None
        return reply
