from __future__ import annotations

from napari_pointanno._models.review_queue import AHEAD, ReviewQueue, key_of
from pointanno.project.review_list import ReviewItem


def items(*numbers: int) -> list[ReviewItem]:
    return [ReviewItem(1, "b" * 32, number, "unsure", "unsure") for number in numbers]


def test_verdicts_lead_from_item_to_item_and_end_in_a_sentence() -> None:
    queue = ReviewQueue(expected=3)
    queue.add(items(0, 1), is_last=False)
    assert (queue.progress(), queue.total) == ("1/3", 3)
    for verdict in ("confirm", "change"):
        assert queue.current is not None
        queue.say(queue.current, verdict)
    assert queue.current is None and not queue.is_complete
    queue.add(items(1, 2), is_last=True)
    assert queue.current == items(2)[0] and queue.progress() == "3/3", "what came twice is there once"
    queue.say(queue.items[2], "later")
    assert queue.summary() == "Reviewed: 1 confirmed, 1 changed, 1 put off."


def test_one_can_go_back_and_pass_items_over() -> None:
    queue = ReviewQueue()
    queue.add(items(0, 1, 2), is_last=True)
    assert not queue.step(-1) and queue.step(1) and queue.step(1) and not queue.step(1)
    queue.say(queue.items[2], "delete")
    assert queue.current is None and queue.summary() == "Reviewed: 1 deleted, 2 passed over."
    assert queue.step(-1) and queue.current == items(2)[0]
    assert queue.take_back(key_of(items(2)[0])) and queue.summary() == "Reviewed: 3 passed over."
    assert not queue.take_back((9, "c" * 32, None))


def test_more_is_wanted_before_the_end_is_reached() -> None:
    queue = ReviewQueue()
    assert queue.is_short
    queue.add(items(*range(AHEAD + 1)), is_last=False)
    assert not queue.is_short and queue.progress() == f"1/{AHEAD + 1}+"
    queue.step(2)
    assert queue.is_short


def test_nothing_waits() -> None:
    queue = ReviewQueue(expected=4)
    queue.add([], is_last=True)
    assert queue.current is None and queue.total == 0 and queue.summary() == "Nothing waits for this review."
