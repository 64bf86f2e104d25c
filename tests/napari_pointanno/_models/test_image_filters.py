from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from napari_pointanno._models.image_filters import (
    CHOICES,
    attention_of,
    end_of_list,
    label_with_count,
    list_heading,
    mark_of,
    note_of,
    points_text,
    tip_of,
)
from pointanno.project import Project, ProjectImage
from pointanno.project.records import Flag

IMAGE = ProjectImage(1, "u", "a.png", Path("/x/a.png"), 60, 80, None, 0, 0, 0, None, None, 0)


@pytest.mark.parametrize(
    ("changes", "symbol", "words"),
    [
        ({}, "", "unlabelled"),
        ({"state": "in_progress", "clicks": 1}, "•", "in progress"),
        ({"state": "complete", "complete_things": True, "complete_stuff": True}, "✓", "complete: things and stuff"),
        ({"state": "in_progress", "complete_things": True, "complete_stuff": False}, "◐", "things complete, stuff not"),
        ({"state": "complete", "complete_stuff": True}, "◑", "stuff complete, things not"),
        ({"state": "skipped", "skipped": "dark", "complete_things": True}, "⊘", "left out: dark"),
        ({"state": "skipped", "skipped": ""}, "⊘", "left out"),
    ],
)
def test_each_state_has_a_symbol_and_words(changes: dict[str, Any], symbol: str, words: str) -> None:
    mark = mark_of(replace(IMAGE, **changes))
    assert (mark.symbol, mark.words) == (symbol, words)


def test_what_cannot_be_read_says_so_before_anything_else() -> None:
    mark = mark_of(replace(IMAGE, state="complete", complete_things=True), unreadable=True)
    assert (mark.symbol, mark.role, mark.words) == ("!", "bad", "this picture cannot be read")


def test_what_an_image_wants() -> None:
    assert attention_of(IMAGE).symbol == ""
    mark = attention_of(replace(IMAGE, flags=2, unsure=1, later=2))
    assert (mark.symbol, mark.words) == ("⚑", "2 flags, 1 unsure answer, 2 reviews put off")
    assert attention_of(replace(IMAGE, disagreements=1, unsure=1)).symbol == "≠"
    assert attention_of(replace(IMAGE, unsure=1)).symbol == "?"


def test_numbers_in_words() -> None:
    assert points_text(IMAGE) == ""
    assert points_text(replace(IMAGE, clicks=1)) == "1 pt"
    assert points_text(replace(IMAGE, clicks=1000, answers=234, boxes=2)) == "1,234 pts · 2 boxes"
    assert tip_of(replace(IMAGE, boxes=1, flags=1), guest=True).splitlines() == [
        "/x/a.png", "80 x 60 pixels", "unlabelled", "0 clicks, 1 box, 0 answers", "1 flag",
        "does not pass the filter; in the list while it is shown",
    ]  # fmt: skip
    assert list_heading(3, 100_000, 100_000) == "Images 3/100,000"
    assert list_heading(3, 12, 100_000) == "Images 3/12 of 100,000"
    assert list_heading(None, 12, 100_000) == "Images -/12 of 100,000"
    assert end_of_list(True, 3, 3) == "this is the last image"
    assert end_of_list(False, 2, 3) == "this is the first image of the list: 2 of 3 pass the filter"


def test_notes() -> None:
    flags = (Flag("", "ask Anna", None, None), Flag("f" * 32, "odd", None, None))
    assert note_of(IMAGE, ()) == ""
    assert note_of(replace(IMAGE, skipped="dark"), flags) == "flagged: ask Anna · left out: dark"
    assert note_of(replace(IMAGE, skipped=""), (Flag("", "", None, None),)) == "flagged · left out"


def test_every_choice_is_a_filter_of_its_own_and_is_counted(project: Project) -> None:
    assert len({choice.where for choice in CHOICES}) == len({choice.key for choice in CHOICES}) == len(CHOICES)
    counts = project.counts()
    for choice in CHOICES:
        assert project.count_images(choice.where) == (3 if choice.key in ("all", "unlabelled") else 0)
        assert choice.count in counts or not choice.count
    assert label_with_count(CHOICES[1], counts) == "unlabelled  (3)"
    assert label_with_count(CHOICES[-1], counts) == CHOICES[-1].label
