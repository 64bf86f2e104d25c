"""The pages of a study in words: who takes part, what is to be done, a break, the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_pointanno._models.session import MODE_TITLES
from napari_pointanno.drawing import Page
from napari_pointanno.keymap import Action

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_pointanno.keymap import KeyMap
    from pointanno.dataset import Category
    from pointanno.protocols import Protocol
    from pointanno.protocols.study_plan import Block, StudyPlan

MOST_CLASSES = 9
"""As many as there are digits; a longer list would not be read."""


def welcome(
    plan: StudyPlan, keymap: KeyMap, participant: int, *, is_known: bool, done: int, total: int, note: str = ""
) -> Page:
    """Who takes part, and how to begin.

    Parameters
    ----------
    participant : the number that is offered, from 1
    is_known : whether this person has begun under that number
    done, total : measured images of that person
    note : why it cannot begin this way, "" if it can
    """
    if is_known and done == total:
        lines = [f"You are participant {participant} of {plan.participants}, and you are done with all of it."]
        return Page(f"Study: {plan.name}", tuple(lines), f"{keymap.text(Action.CANCEL)} leaves the study", note)
    if is_known:
        lines = [
            f"You are participant {participant} of {plan.participants}.",
            f"{done} of {total} images are done; it goes on where you stopped.",
        ]
    else:
        lines = [
            f"You are participant {participant} of {plan.participants}.",
            f"{keymap.texts((Action.PREVIOUS, Action.NEXT))} another number, if you were given one.",
        ]
    blocks = len(plan.conditions)
    lines += [
        "",
        f"{blocks} block{'s' if blocks > 1 else ''} of work, {total} images in all"
        + (", with a break between them." if plan.breaks.after_block and blocks > 1 else "."),
        "What you do and how long it takes is recorded. You may stop at any time.",
    ]
    return Page(f"Study: {plan.name}", tuple(lines), _go_or_leave(keymap), note)


def instruction(
    block: Block,
    blocks: int,
    protocol: Protocol,
    categories: Sequence[Category],
    digits: Mapping[int, int],
    keymap: KeyMap,
    *,
    practice: bool,
    resumes: bool,
) -> Page:
    """What is to be done in a block.

    Parameters
    ----------
    block : Block
    blocks : how many there are
    protocol : what asks in this block
    categories, digits : classes of the project, and the keys that choose them
    practice : whether its images are for practice
    resumes : whether a part of it is done already
    """
    title = f"Block {block.number + 1} of {blocks}: {MODE_TITLES[protocol.name]}"
    lines = [*_task(protocol, categories, keymap), ""]
    asked = [one for one in categories if one.isthing or protocol.name != "box_points"]
    by_class = {category_id: digit for digit, category_id in digits.items()}
    known = [f"{by_class[one.id]} {one.name}" if one.id in by_class else one.name for one in asked[:MOST_CLASSES]]
    if len(asked) > 1:
        lines.append(f"Classes, by their digit: {', '.join(known)}{' …' if len(asked) > MOST_CLASSES else ''}.")
    elif known:
        lines.append(f"Class: {asked[0].name}.")
    lines.append(
        f"{keymap.text(Action.DONE)} when an image is done: the next one follows, there is no way back to it but "
        f"{keymap.text(Action.UNDO)}."
    )
    lines.append(f"{keymap.text(Action.UNDO)} takes the last step back. {keymap.text(Action.PAUSE)} pauses the clock.")
    lines.append("")
    count = len(block.part(practice))
    images = f"{count} image{'' if count == 1 else 's'}"
    if practice:
        lines.append(f"First {images} for practice: nothing counts, and where the answer is known you are told.")
    elif resumes:
        lines.append("This block goes on where it was left. Work as fast as you can without making mistakes.")
    else:
        now = "Now it counts: " if block.practice else ""
        lines.append(f"{now}{images}. Work as fast as you can without making mistakes.")
    return Page(title, tuple(lines), _go_or_leave(keymap))


def _task(protocol: Protocol, categories: Sequence[Category], keymap: KeyMap) -> list[str]:
    """What this way of annotating asks for."""
    has_stuff = any(not one.isthing for one in categories)
    if protocol.name == "single_point":
        stuff = "Click on every region (stuff) once or more, anywhere on it." if has_stuff else ""
        return [line for line in ("Click every object once, inside of it.", stuff) if line]
    if protocol.name == "multi_point":
        total = getattr(protocol, "points_per_target", 1)
        return [
            f"Click {total} times inside of every object" + (" and on every region." if has_stuff else "."),
            f"{keymap.text(Action.NEW_OBJECT)} begins another object, {keymap.text(Action.CONFIRM)} ends one sooner.",
        ]
    if protocol.name == "box_points":
        draw = {
            "drag": "Draw a box around every object, from corner to corner.",
            "extreme": "Click the topmost, leftmost, lowest and rightmost pixel of every object, in any order.",
            "none": "Boxes are given; nothing is to be drawn.",
        }[str(getattr(protocol, "draw", "drag"))]
        total = getattr(protocol, "points_per_box", 1)
        return [draw, f"Then {total} points in the box are asked: does the ring lie on the object?  {keymap.answers()}"]
    return [
        "Paint every object" + (" and every region." if has_stuff else "."),
        f"{keymap.text(Action.NEW_OBJECT)} begins another object. {keymap.text(Action.POLYGON)} brush or polygon, "
        f"{keymap.text(Action.ERASE)} eraser, {keymap.texts((Action.SMALLER, Action.LARGER))} its size.",
    ]


def rest(done: int, total: int, keymap: KeyMap) -> Page:
    """A break."""
    return Page(
        "Break",
        (f"{done} of {total} images are done.", "The clock stands still: rest as long as you like."),
        _go_or_leave(keymap),
    )


def told(sentence: str, keymap: KeyMap) -> Page:
    """What was right and wrong on an image for practice."""
    return Page("Practice", (sentence,), _go_or_leave(keymap))


def farewell(plan: StudyPlan, total: int, keymap: KeyMap) -> Page:
    """The end."""
    images, count = f"{total} image{'' if total == 1 else 's'}", len(plan.conditions)
    return Page(
        "The study is complete",
        (f"{images} in {count} block{'' if count == 1 else 's'}: all is saved.", "Thank you."),
        f"{keymap.text(Action.CONFIRM)} closes this page",
    )


def _go_or_leave(keymap: KeyMap) -> str:
    return f"{keymap.text(Action.CONFIRM)} goes on   ·   {keymap.text(Action.CANCEL)} leaves the study"
