"""The filters of the image list as a person chooses them, and the words for what a row shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pointanno.project.image_list import EVERY_IMAGE, ImageFilter

if TYPE_CHECKING:
    from pointanno.project import ProjectImage
    from pointanno.project.records import Flag

ALL = "all"


@dataclass(frozen=True, slots=True)
class FilterChoice:
    """A line of the list of filters; `count` is its name in `Project.counts`, "" where nobody counts."""

    key: str
    label: str
    tip: str
    where: ImageFilter
    count: str = ""


CHOICES = (
    FilterChoice(ALL, "all images", "every image of the project", EVERY_IMAGE, "images"),
    FilterChoice("unlabelled", "unlabelled", "nothing was done yet", ImageFilter(state="unlabelled"), "unlabelled"),
    FilterChoice(
        "in_progress", "in progress", "begun, not declared complete", ImageFilter(state="in_progress"), "in_progress"
    ),
    FilterChoice("complete", "complete", "declared complete", ImageFilter(state="complete"), "complete"),
    FilterChoice("skipped", "left out", "left out for a reason", ImageFilter(state="skipped"), "skipped"),
    FilterChoice("flagged", "flagged", "to be looked at again", ImageFilter(attention="flagged"), "flagged"),
    FilterChoice("unsure", "unsure answers", "somebody was unsure", ImageFilter(attention="unsure"), "unsure"),
    FilterChoice("fast", "fast answers", "answered in less than 150 ms", ImageFilter(attention="fast"), "fast"),
    FilterChoice("later", "put off", "put off in a review", ImageFilter(attention="later"), "later"),
    FilterChoice(
        "disagreement", "disagreement", "first and second opinion differ", ImageFilter(attention="disagreement"),
        "disagreement",
    ),
    FilterChoice("chosen", "second opinion open", "to be annotated twice", ImageFilter(second_pass="chosen")),
    FilterChoice("second", "second opinion given", "annotated twice", ImageFilter(second_pass="done")),
)  # fmt: skip
"""Filters in the order of the list."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a row of the image list shows in front of the name: a symbol, its colour and its words."""

    symbol: str
    role: str
    """"good", "begun", "bad", "flag" or "faint": the view has a colour for each."""
    words: str


def mark_of(image: ProjectImage, *, unreadable: bool = False) -> Mark:
    """State of an image as a symbol; each state has a symbol of its own, so that nobody needs to see colours."""
    if unreadable:
        return Mark("!", "bad", "this picture cannot be read")
    if image.state == "skipped":
        return Mark("⊘", "faint", f"left out: {image.skipped}" if image.skipped else "left out")
    things, stuff = bool(image.complete_things), bool(image.complete_stuff)
    if things and stuff:
        return Mark("✓", "good", "complete: things and stuff")
    if things:
        return Mark("◐", "good", "things complete, stuff not")
    if stuff:
        return Mark("◑", "good", "stuff complete, things not")
    if image.state == "in_progress":
        return Mark("•", "begun", "in progress")
    return Mark("", "faint", "unlabelled")


def attention_of(image: ProjectImage) -> Mark:
    """What an image wants besides: a flag, a disagreement, unsure or fast answers."""
    words = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in (
            (image.flags, "flag"),
            (image.disagreements, "disagreement"),
            (image.unsure, "unsure answer"),
            (image.fast, "fast answer"),
            (image.later, "review put off"),
        )
        if count
    ]
    symbol = "⚑" if image.flags else "≠" if image.disagreements else "?" if image.unsure else ""
    return Mark(symbol, "flag", ", ".join(words).replace("review put offs", "reviews put off"))


def note_of(image: ProjectImage, flags: Sequence[Flag]) -> str:
    """What was said about the image itself, with its reason: "flagged: class unclear"."""
    words = [f"flagged: {flag.reason}" if flag.reason else "flagged" for flag in flags if not flag.uid]
    if image.skipped is not None:
        words.append(f"left out: {image.skipped}" if image.skipped else "left out")
    return " · ".join(words)


def points_text(image: ProjectImage) -> str:
    """Points of an image in few letters."""
    points = image.clicks + image.answers
    if not points and not image.boxes:
        return ""
    noun = "pt" if points == 1 else "pts"
    return f"{points:,} {noun}" + (f" · {image.boxes:,} box{'' if image.boxes == 1 else 'es'}" if image.boxes else "")


def tip_of(image: ProjectImage, *, unreadable: bool = False, guest: bool = False) -> str:
    """Everything about an image that the list knows, line by line."""
    clicks = f"{image.clicks:,} click{'' if image.clicks == 1 else 's'}"
    boxes = f"{image.boxes:,} box{'' if image.boxes == 1 else 'es'}"
    lines = [
        str(image.path),
        f"{image.width} x {image.height} pixels",
        mark_of(image, unreadable=unreadable).words,
        f"{clicks}, {boxes}, {image.answers:,} answers",
        attention_of(image).words,
        "does not pass the filter; in the list while it is shown" if guest else "",
    ]
    return "\n".join(line for line in lines if line)


def list_heading(number: int | None, matching: int, total: int) -> str:
    """Where one is in the list: "Images 3/12 of 100,000"; None for an image that does not pass the filter."""
    place = "-" if number is None else f"{number:,}"
    return f"Images {place}/{matching:,}" + (f" of {total:,}" if matching != total else "")


def end_of_list(forwards: bool, matching: int, total: int) -> str:
    """The words at an end of the list."""
    end = "last" if forwards else "first"
    if matching == total:
        return f"this is the {end} image"
    return f"this is the {end} image of the list: {matching:,} of {total:,} pass the filter"


def label_with_count(choice: FilterChoice, counts: Mapping[str, int]) -> str:
    """A line of the list of filters with how many images it has, as far as that is counted."""
    return f"{choice.label}  ({counts[choice.count]:,})" if choice.count in counts else choice.label
