from __future__ import annotations

import time

import pytest

from napari_pointanno._models.class_search import best_match, matches

NAMES = ["carpet", "car", "race car", "Bäume", "細胞", "خلية حية", "traffic light"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("car", "car"),  # the same name before one that begins so, whatever the order
        ("CARP", "carpet"),
        ("ce ca", "race car"),
        ("light tra", "traffic light"),
        ("baume", "Bäume"),
        ("胞", "細胞"),
        ("حية", "خلية حية"),
        ("nothing", None),
        ("car bus", None),
    ],
)
def test_any_part_finds_a_class(text: str, found: str | None) -> None:
    place = best_match(text, NAMES)
    assert (None if place is None else NAMES[place]) == found


def test_no_word_finds_everything() -> None:
    assert all(matches("  ", name) for name in NAMES)
    assert best_match("a", []) is None


def test_many_names_are_searched_at_once() -> None:
    names = [f"class number {number} of a long list" for number in range(1200)]
    best_match("warm up", names)
    begin = time.perf_counter()
    assert best_match("1199 list", names) == 1199
    assert time.perf_counter() - begin < 0.5
