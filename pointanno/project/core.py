"""The part of a project that everything else stands on: its life, its journal, its settings."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import orjson
from sqlalchemy import bindparam, select

from pointanno import __version__
from pointanno.errors import InputError
from pointanno.project import opening, scan
from pointanno.project.backups import DailyBackup
from pointanno.project.importing import Importer, plan_import
from pointanno.project.journal import AT_CREATION, Journal
from pointanno.project.palette import color_of
from pointanno.project.projection import Projection
from pointanno.project.records import Event, ImportReport
from pointanno.project.schema import categories, images, settings
from pointanno.project.snapshot import to_category
from pointanno.project.state_hash import state_hash
from pointanno.project.store import Store, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import TracebackType

    from sqlalchemy import Select

    from pointanno.dataset import Category, PointDataset
    from pointanno.project.lock import WriterLock

_ALL_SETTINGS = select(settings)
_CATEGORIES = select(categories).order_by(categories.c.position, categories.c.id)
_BY_ID = select(images).where(images.c.id == bindparam("k_id"))


class ProjectCore:
    """Life and journal of one project; `Project` adds the views of what it holds."""

    def __init__(self, path: Path, store: Store, lock: WriterLock | None, *, annotator: str) -> None:
        self.path = path
        self.skipped: list[str] = []
        self.recovered = ""
        self.repaired = False
        self._store = store
        self._lock = lock
        self._projection = Projection(store)
        self._journal = Journal(store, self._projection, annotator=annotator, tool_version=f"pointanno {__version__}")
        self._backup = DailyBackup(store.file) if store.writable else None
        self._settings = {row["key"]: orjson.loads(row["value"]) for row in store.rows(_ALL_SETTINGS)}
        self._set_folder()
        self._categories: list[Category] | None = None
        self._queries: dict[tuple[Any, ...], Select[Any]] = {}
        self._is_outdated = False
        self._closed = False

    # life ------------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        images: Path | str,
        categories: Sequence[Category] = (),
        coco: Path | str | None = None,
        points_per_box: int = 10,
        seed: int = 0,
        annotator: str = "anon-1",
        progress: scan.Progress | None = None,
    ) -> Self:
        """Make a project from a folder of pictures.

        Parameters
        ----------
        path : the new folder; gets the suffix ``.pointanno`` if it is missing
        images : folder of the pictures, which stay there
        categories : classes to begin with
        coco : file whose images, classes and annotations the project begins with
        points_per_box : points that are asked about in each box
        seed : of the random points
        annotator : pseudonym of the person
        progress : called with how many of how many pictures are done

        Raises
        ------
        InputError
            One sentence; then nothing was made.
        """
        folder, images = opening.project_folder(Path(path), new=True), Path(images)
        if folder.exists():
            raise InputError(f"{folder}: this already exists. Open it with `pointanno open`, or choose another name")
        if points_per_box < 1:
            raise InputError(f"points_per_box: expected at least 1, received {points_per_box}")
        dataset = None
        if coco is not None:
            from pointanno.formats import read_dataset

            dataset = read_dataset(Path(coco))
        found = scan.scan_images(images, None if dataset is None else dataset.images, progress)
        values = {
            "points_per_box": points_per_box,
            "seed": seed,
            "images": scan.relative_folder(found.folder, folder),
            "images_absolute": found.folder.resolve().as_posix(),
            "skipped": found.skipped,
        }
        store, lock = opening.make_file(folder, found.rows, values)
        project = cls(folder, store, lock, annotator=annotator)._started()
        try:
            for category in categories:
                project.record("category_added", category_payload(category), source=AT_CREATION)
            if dataset is not None:
                report = project.import_dataset(dataset, file=str(coco), source=AT_CREATION)
                project.skipped += report.skipped
        except BaseException:
            project.close()
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return project

    @classmethod
    def open(cls, path: Path | str, *, writable: bool = True, annotator: str = "anon-1") -> Self:
        """Open an existing project.

        Raises
        ------
        InputError
            One sentence: not a project, saved by a newer version, open elsewhere (by whom and since when), damaged
            (and which backup to use), read-only. The project is untouched then.
        """
        folder = opening.project_folder(Path(path))
        store, lock, is_outdated = opening.open_file(folder, writable=writable)
        try:
            project = cls(folder, store, lock, annotator=annotator)
            project._is_outdated = is_outdated
            if writable:  # a reader would take the session that is going on elsewhere for a broken one
                project.recovered = opening.recover(store)
            if project._is_outdated:
                project.rebuild()
                store.in_memory = False  # from here on even the copy of a reader is only read
            elif writable and not opening.is_consistent(store, project._journal.last_seq):
                project.rebuild()
                project.repaired = True
            return project._started()
        except BaseException as error:
            store.close()
            if lock is not None:
                lock.release()
            if isinstance(error, (sqlite3.DatabaseError, OSError)):
                raise sentence(error, store.file) from error
            raise

    def _started(self) -> Self:
        """The last step of creating and opening."""
        self.skipped += self._settings.get("skipped", [])
        if not self.images_folder.is_dir():
            self.skipped.append(
                f"{self.images_folder}: the folder of the images is missing; the annotations are all there. "
                f"Say where it is now: `pointanno open {self.path} --images DIR`"
            )
        if self._backup is not None:
            if self._journal.last_seq > 0:
                self._backup.start_if_due()
            else:
                self._backup.begin_tomorrow()
        return self

    def close(self) -> None:
        """End the session, stop the backup, give back the lock; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(InputError):  # all that is lost is the note that the end was orderly
            self._journal.end_session()
        if self._backup is not None:
            if self._journal.has_written:
                self._backup.refresh()
            self._backup.stop()
        self._store.close()
        if self._lock is not None:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # what it holds ---------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Mapping[str, Any]:
        """Settings of the project: points_per_box, seed, images, ..."""
        return self._settings

    @property
    def store(self) -> Store:
        """The open file, for rooms of the project that read all of it; callers use the methods."""
        return self._store

    @property
    def images_folder(self) -> Path:
        """Where the pictures are, or were."""
        return self._folder

    @property
    def runs_folder(self) -> Path:
        """Folder of the training runs; it may not exist yet."""
        return self.path / "runs"

    @property
    def exports_folder(self) -> Path:
        """Folder for exported files; it may not exist yet."""
        return self.path / "exports"

    @property
    def session_id(self) -> str:
        """Uuid of this session; its row is written together with its first event."""
        return self._journal.session_uuid

    @property
    def annotator(self) -> str:
        """Pseudonym of the person whose events are written now."""
        return self._journal.annotator_name

    def change_annotator(self, pseudonym: str) -> None:
        """Somebody else goes on from here: a session of their own, without closing the project."""
        if pseudonym != self.annotator:
            self._journal.change_annotator(pseudonym)

    @property
    def writable(self) -> bool:
        """Whether events can be recorded."""
        return self._store.writable

    @property
    def backup_problem(self) -> str:
        """Why the last daily copy failed, "" if it did not."""
        return "" if self._backup is None else self._backup.problem

    @property
    def last_image_id(self) -> int | None:
        """The image of the last event: where the person was. None in a new project."""
        return opening.last_image_id(self._store)

    @property
    def last_mode(self) -> str | None:
        """Name of the way of annotating that was chosen in the window last, None if nobody did lately."""
        return opening.last_mode(self._store)

    def categories(self) -> list[Category]:
        """Classes in the order of the list."""
        with self._store.lock:
            if self._categories is None:
                self._categories = [to_category(row) for row in self._store.rows(_CATEGORIES)]
            return list(self._categories)

    def events(self, *, after_seq: int = 0) -> Iterator[Event]:
        """The journal from one event on, oldest first."""
        return self._journal.events(after_seq)

    # changes ---------------------------------------------------------------------------------------------------

    def record(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        image_id: int | None = None,
        t_mono_ns: int | None = None,
        source: str = "manual",
        timing: Mapping[str, Any] | None = None,
    ) -> Event:
        """Write one event and its effect; on return both are on the disk.

        Parameters
        ----------
        kind : see `pointanno.project.payloads`
        payload : what an event of this kind carries
        image_id : the image that it concerns; required for annotations
        t_mono_ns : nanoseconds of the monotonic clock at the input; now by default
        source : "manual", "suggested", ...
        timing : further time stamps of the input

        Raises
        ------
        InputError
            Naming kind and field, or saying why nothing could be written. The project is as before then.
        """
        try:
            event = self._journal.append(
                kind, payload, image_id=image_id, t_mono_ns=t_mono_ns, source=source, timing=timing
            )
        finally:
            if kind.startswith("categor"):
                self._categories = None
        if self._backup is not None:
            self._backup.start_if_due()
        return event

    def undo(self, *, t_mono_ns: int | None = None, timing: Mapping[str, Any] | None = None) -> Event | None:
        """Take back the newest change that stands, of whatever session; returns its event, None if there is none."""
        try:
            return self._journal.undo(t_mono_ns, timing)
        finally:
            self._categories = None

    def redo(self, *, t_mono_ns: int | None = None, timing: Mapping[str, Any] | None = None) -> Event | None:
        """Make the change that was undone last again; returns its event, None if there is none."""
        try:
            return self._journal.redo(t_mono_ns, timing)
        finally:
            self._categories = None

    def next_turn(self, kind: str) -> Event | None:
        """The event that the next "undo" or "redo" would act upon; None if there is none."""
        return self._journal.next_turn(kind)

    @property
    def can_undo(self) -> bool:
        """Whether `undo` would do anything."""
        return self._journal.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether `redo` would do anything."""
        return self._journal.can_redo

    def import_dataset(
        self, dataset: PointDataset, *, file: str = "", source: str = "import", layer: str = "main"
    ) -> ImportReport:
        """Add the annotations of a data set to the images of the same name, as one event.

        Boxes without points get random ones to be asked about.

        Parameters
        ----------
        dataset : what to add
        file : its name, for sentences
        source : of the event
        layer : "main", or "gold" for known answers that annotators do not see

        Raises
        ------
        InputError
            If a record does not fit; then nothing of the file was taken.
        """
        with self._store.lock:
            plan = plan_import(self._store, self.categories(), self._settings)
            importer = Importer(dataset, plan, file=file, layer=layer)
            try:
                event = self._journal.append_import(importer.make, source=source)
            finally:
                self._categories = None
        counts = importer.counts
        return ImportReport(
            event=event,
            images=counts["images"],
            boxes=counts["boxes"],
            clicks=counts["clicks"],
            categories=len(event.payload["categories"]),
            skipped=tuple(importer.skipped),
        )

    def rebuild(self) -> None:
        """Make the current state again from the events alone."""
        self._journal.rebuild()
        self._categories = None

    def projection_hash(self) -> str:
        """SHA-256 of the current state, whichever way it came about."""
        with self._store.lock, self._store.guarded():
            return state_hash(self._store, self._projection.parts)

    # within ----------------------------------------------------------------------------------------------------

    def _set_folder(self) -> None:
        """Where the pictures are: beside the project as before, else where they once were."""
        beside = (self.path / str(self._settings.get("images", "."))).resolve()
        before = Path(str(self._settings.get("images_absolute", beside)))
        self._folder = before if not beside.is_dir() and before.is_dir() else beside

    def _image_row(self, image_id: int) -> sqlite3.Row:
        row = self._store.first(_BY_ID, k_id=image_id)
        if row is None:
            raise InputError(f"{self.path}: the project has no image {image_id}")
        return row


def category_payload(category: Category) -> dict[str, Any]:
    """What the event that adds a class carries; a colour is chosen where there is none."""
    color = category.color or color_of(category.id)
    return {
        **{"id": category.id, "name": category.name, "isthing": category.isthing, "color": list(color)},
        "supercategory": category.supercategory or ("thing" if category.isthing else "stuff"),
    }
