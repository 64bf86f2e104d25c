from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from napari_pointanno._models import image_pages
from napari_pointanno._models.image_pages import PAGE, PAGES_KEPT, ImagePages, is_complete, is_touched


class _Project:
    """Ten thousand images that count how often they are asked for."""

    def __init__(self, count: int) -> None:
        self.rows = [self._row(i) for i in range(count)]
        self.asked: list[tuple[int, int]] = []

    @staticmethod
    def _row(index: int) -> Any:
        return SimpleNamespace(id=index + 1, file_name=f"{index}.png", path=Path(f"{index}.png"), clicks=0, boxes=0,
                               answers=0, complete_things=None, complete_stuff=None)  # fmt: skip

    def image_count(self) -> int:
        return len(self.rows)

    def images(self, *, start: int, count: int) -> list[Any]:
        self.asked.append((start, count))
        return self.rows[start : start + count]

    def image(self, image_id: int) -> Any:
        return self.rows[image_id - 1]


def _pages(count: int) -> tuple[Any, ImagePages]:
    project: Any = _Project(count)
    return project, ImagePages(project)


def test_only_the_page_of_a_row_is_read() -> None:
    project, pages = _pages(10_000)
    assert len(pages) == 10_000
    assert project.asked == []
    assert pages.row(5000).file_name == "5000.png"
    pages.row(5001)
    assert project.asked == [(5000 // PAGE * PAGE, PAGE)]


def test_old_pages_are_forgotten() -> None:
    project, pages = _pages(PAGE * (PAGES_KEPT + 2))
    for page in range(PAGES_KEPT + 1):
        pages.row(page * PAGE)
    project.asked.clear()
    pages.row(PAGE)
    assert project.asked == []
    pages.row(0)
    assert len(project.asked) == 1


def test_refresh_reads_one_row() -> None:
    project, pages = _pages(3)
    pages.row(0)
    project.rows[1] = SimpleNamespace(**{**vars(project.rows[1]), "clicks": 4})
    assert pages.row(1).clicks == 0
    pages.refresh(1)
    assert pages.row(1).clicks == 4


def test_next_unlabelled_goes_round_the_end() -> None:
    project, pages = _pages(4)
    for index in (1, 2, 3):
        project.rows[index].clicks = 1
    assert pages.next_unlabelled(1) == 0
    project.rows[0].boxes = 1
    assert pages.next_unlabelled(1) is None


def test_index_of() -> None:
    _, pages = _pages(PAGE + 10)
    assert pages.index_of(PAGE + 3) == PAGE + 2
    assert pages.index_of(10**6) is None


def test_touched_and_complete() -> None:
    project, pages = _pages(2)
    project.rows[0].complete_stuff = True
    assert is_complete(project.rows[0])
    assert is_touched(project.rows[0])
    assert not is_touched(project.rows[1])
    assert pages.touched() == 1
    assert image_pages.PAGE > 0
