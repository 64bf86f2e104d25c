from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_pointanno._models.image_pages import PAGE, PAGES_KEPT, ImagePages, is_complete, is_touched
from pointanno.errors import InputError
from pointanno.project import Project, ProjectImage
from pointanno.project.image_list import EVERY_IMAGE, ImageFilter
from pointanno.project.schema import IMAGE_STATE, images

FLAGGED = ImageFilter(attention="flagged")


class _Counted:
    """A project that counts what is asked of it."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.asked: list[list[int]] = []

    def images_at(self, places: Any) -> list[ProjectImage]:
        self.asked.append([int(place) for place in places])
        return self._project.images_at(places)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._project, name)


@pytest.fixture
def many(tmp_path: Path, images_folder: Path) -> Iterator[Callable[[int], Project]]:
    """A project of any number of images; the files of most of them are imaginary."""
    made: list[Project] = []

    def make(count: int) -> Project:
        project = Project.create(tmp_path / f"many{len(made)}", images=images_folder)
        made.append(project)
        rows = [
            {
                **{"id": number, "position": number - 1, "uid": f"{number:032x}", "file_name": f"{number:06d}.png"},
                **{"height": 60, "width": 80, "bytes": 1, "sha256": None, "extra": None, **IMAGE_STATE},
            }
            for number in range(1, count + 1)
        ]
        with project.store.transaction():
            project.store.execute_text("delete from images")
            project.store.execute_many(images.insert(), rows)
        return project

    yield make
    for project in made:
        project.close()


def _names(pages: ImagePages) -> list[str]:
    return [pages.row(index).file_name for index in range(len(pages))]


def test_only_the_page_of_a_row_is_read(many: Any) -> None:
    project: Any = _Counted(many(10_000))
    pages = ImagePages(project)
    assert (len(pages), project.asked) == (10_000, [])
    assert pages.row(5000).file_name == "005001.png"
    pages.row(5001)
    assert project.asked == [list(range(5000 // PAGE * PAGE, (5000 // PAGE + 1) * PAGE))]


def test_old_pages_are_forgotten(many: Any) -> None:
    project: Any = _Counted(many(PAGE * (PAGES_KEPT + 2)))
    pages = ImagePages(project)
    for page in range(PAGES_KEPT + 1):
        pages.row(page * PAGE)
    project.asked.clear()
    pages.row(PAGE)
    assert project.asked == []
    pages.row(0)
    assert len(project.asked) == 1


def test_where_an_image_is_takes_no_page(many: Any) -> None:
    project: Any = _Counted(many(PAGE + 10))
    pages = ImagePages(project)
    assert pages.index_of(PAGE + 3) == PAGE + 2
    assert project.asked == []
    with pytest.raises(InputError, match="no image 1000000"):
        pages.index_of(10**6)


def test_refresh_reads_one_row_and_forget_all(project: Project) -> None:
    pages = ImagePages(project)
    first, second = pages.row(0), pages.row(1)
    for image in (first, second):
        project.record("flag", {"flagged": True}, image_id=image.id)
    pages.refresh(1)
    assert [pages.row(0).flags, pages.row(1).flags] == [0, 1]
    pages.forget()
    assert pages.row(0).flags == 1


def test_next_unlabelled_goes_round_the_end(project: Project) -> None:
    pages = ImagePages(project)
    project.record("complete", {"things": True, "stuff": True}, image_id=pages.row(1).id)
    assert [pages.next_unlabelled(row) for row in (0, 1, 2)] == [2, 2, 0]
    project.record("skip_image", {"skipped": True}, image_id=pages.row(2).id)
    assert pages.next_unlabelled(1) == 0
    assert pages.next_unlabelled(0) is None, "the image itself is no next one"
    project.record("complete", {"things": True, "stuff": True}, image_id=pages.row(0).id)
    assert pages.next_unlabelled(1) is None


def test_next_unlabelled_keeps_to_the_filter(project: Project) -> None:
    pages = ImagePages(project)
    flagged = pages.row(2)
    project.record("flag", {"flagged": True}, image_id=flagged.id)
    pages.select(FLAGGED, keep=pages.row(0))
    row = pages.next_unlabelled(0)
    assert row is not None and pages.row(row).id == flagged.id
    pages.select(ImageFilter(state="complete"))
    assert pages.next_unlabelled(-1) is None


def test_touched_and_complete(project: Project) -> None:
    pages = ImagePages(project)
    assert pages.touched() == 0
    project.record("complete", {"things": False, "stuff": True}, image_id=pages.row(0).id)
    pages.refresh(0)
    assert is_complete(pages.row(0)) and is_touched(pages.row(0)) and not is_touched(pages.row(1))
    assert (pages.touched(), pages.counts()["in_progress"]) == (1, 1)


def test_a_filter_lists_what_passes_and_keeps_what_is_shown(project: Project) -> None:
    pages = ImagePages(project)
    images_there = [pages.row(row) for row in range(3)]
    for image in images_there[:2]:
        project.record("flag", {"flagged": True}, image_id=image.id)
    pages.select(FLAGGED)
    assert (_names(pages), pages.matching) == (["a.png", "b.png"], 2)
    pages.select(FLAGGED, keep=images_there[0])
    assert (len(pages), pages.matching, pages.is_guest(0)) == (2, 2, False)
    pages.select(FLAGGED, keep=images_there[2])
    assert (_names(pages), pages.matching) == (["a.png", "b.png", "c.png"], 2)
    assert [pages.is_guest(row) for row in range(3)] == [False, False, True]
    assert [pages.number_of(row) for row in range(3)] == [1, 2, None]
    pages.select(ImageFilter(text="nothing"), keep=images_there[1])
    assert (_names(pages), pages.matching) == (["b.png"], 0)


def test_an_unknown_image_set_changes_nothing(project: Project) -> None:
    pages = ImagePages(project)
    pages.select(FLAGGED)
    with pytest.raises(InputError, match="'old' is not among"):
        pages.select(ImageFilter(image_set="old"))
    assert (pages.where, len(pages)) == (FLAGGED, 0)
    project.set_protocol("new", "single_point", [1, 2])
    assert pages.image_sets() == ["new"]


def test_what_no_longer_passes_stays_until_it_is_let_go(project: Project) -> None:
    pages = ImagePages(project)
    unlabelled = ImageFilter(state="unlabelled")
    pages.select(unlabelled)
    shown = pages.row(1)
    project.record("complete", {"things": True, "stuff": True}, image_id=shown.id)
    pages.refresh(1)
    assert _names(pages) == ["a.png", "b.png", "c.png"]
    steps: list[tuple[str, int, int, int]] = []
    pages.changing.connect(lambda row, delta: steps.append(("before", row, delta, len(pages))))
    pages.changed.connect(lambda row, delta: steps.append(("after", row, delta, len(pages))))
    assert not pages.let_go(pages.row(0)), "it still passes"
    assert pages.let_go(shown)
    assert _names(pages) == ["a.png", "c.png"]
    assert steps == [("before", 1, -1, 3), ("after", 1, -1, 2)]
    assert not pages.let_go(shown), "it is gone already"


def test_a_guest_comes_and_goes(project: Project) -> None:
    pages = ImagePages(project)
    images_there = [pages.row(row) for row in range(3)]
    project.record("flag", {"flagged": True}, image_id=images_there[2].id)
    pages.select(FLAGGED)
    assert pages.let_in(images_there[1].id) == 0
    assert (_names(pages), pages.matching, pages.is_guest(0)) == (["b.png", "c.png"], 1, True)
    assert [pages.number_of(row) for row in range(2)] == [None, 1]
    assert pages.let_in(images_there[2].id) == 1, "it was there"
    assert pages.let_go(images_there[1])
    assert (_names(pages), pages.matching) == (["c.png"], 1)
    pages.select(EVERY_IMAGE)
    assert not pages.let_go(images_there[0]), "every image passes no filter at all"


def test_rows_stay_right_while_images_leave_and_come(many: Any) -> None:
    """Against a plain list, with pages that are read before and after."""
    project = many(3 * PAGE)
    pages = ImagePages(project)
    where = replace(EVERY_IMAGE, state="unlabelled")
    pages.select(where)
    expected = list(range(1, 3 * PAGE + 1))
    draw = np.random.default_rng(0)
    for _ in range(60):
        row = int(draw.integers(len(expected)))
        image = pages.row(row)
        assert image.id == expected[row]
        project.record("skip_image", {"skipped": True}, image_id=image.id)
        assert pages.let_go(image)
        expected.remove(image.id)
        probe = int(draw.integers(len(expected)))
        assert pages.row(probe).id == expected[probe]
        assert pages.index_of(expected[probe]) == probe
    assert [pages.row(row).id for row in range(len(pages))] == expected
