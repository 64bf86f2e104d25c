"""What waits for a review, in order: where one is, what was said so far."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pointanno.project.review_list import ReviewItem

Key = tuple[int, str, int | None]
"""Image, uid, point."""

CONFIRM, CHANGE, DELETE, LATER = "confirm", "change", "delete", "later"
_WORDS = {CONFIRM: "confirmed", CHANGE: "changed", DELETE: "deleted", LATER: "put off"}


def key_of(item: ReviewItem) -> Key:
    """What names an item."""
    return item.image_id, item.uid, item.point


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """A line of the list of filters.

    `key` is a reason of `Project.review_page`, or what the controller made of a preview, a file or a run.
    """

    key: str
    title: str
    tip: str = ""
    count: int | None = None
    """Items that wait; None where nobody has counted."""


class ReviewQueue:
    """Items in the order in which they are shown; more come as they are found.

    Parameters
    ----------
    expected : int or None
        How many there will be, as far as that is known before they were read.
    """

    def __init__(self, expected: int | None = None) -> None:
        self._expected = expected
        self._places: dict[Key, int] = {}
        self.items: list[ReviewItem] = []
        self.at = 0
        self.is_complete = False
        """Whether nothing more will come."""
        self.verdicts: dict[Key, str] = {}

    def add(self, items: Iterable[ReviewItem], *, is_last: bool) -> None:
        """Take what was found; an item that is there already is not taken twice."""
        for item in items:
            if key_of(item) not in self._places:
                self._places[key_of(item)] = len(self.items)
                self.items.append(item)
        self.is_complete = is_last

    @property
    def current(self) -> ReviewItem | None:
        """The item that is shown, None behind the last one."""
        return self.items[self.at] if 0 <= self.at < len(self.items) else None

    @property
    def is_short(self) -> bool:
        """Whether the next items should be read now."""
        return not self.is_complete and len(self.items) - self.at < AHEAD

    @property
    def total(self) -> int:
        """How many items there are, or will be."""
        found = len(self.items)
        return found if self.is_complete or self._expected is None else max(found, self._expected)

    def step(self, delta: int) -> bool:
        """To the next item or back; False at the ends."""
        place = self.at + delta
        if not 0 <= place < len(self.items):
            return False
        self.at = place
        return True

    def say(self, item: ReviewItem, verdict: str) -> None:
        """Note a verdict and go on to the next item that has none; behind the last one if there is no such item."""
        self.verdicts[key_of(item)] = verdict
        for place in range(self.at + 1, len(self.items)):
            if key_of(self.items[place]) not in self.verdicts:
                self.at = place
                return
        self.at = len(self.items)

    def take_back(self, key: Key) -> bool:
        """A verdict was undone: its item is the current one again; False if it is not among these."""
        self.verdicts.pop(key, None)
        return self.go_to(key)

    def go_to(self, key: Key) -> bool:
        """Make an item the current one; False if it is not among these."""
        place = self._places.get(key)
        if place is None:
            return False
        self.at = place
        return True

    def progress(self) -> str:
        """Where one is: "7/31"."""
        if self.current is None:
            return ""
        more = "+" if not self.is_complete and self._expected is None else ""
        return f"{self.at + 1:,}/{self.total:,}{more}"

    def summary(self) -> str:
        """What was done, as a sentence."""
        if not self.items:
            return "Nothing waits for this review."
        counts = Counter(self.verdicts.values())
        said = [f"{counts[verdict]:,} {word}" for verdict, word in _WORDS.items() if counts[verdict]]
        left = len(self.items) - len(self.verdicts)
        if left:
            said.append(f"{left:,} passed over")
        return f"Reviewed: {', '.join(said)}."


AHEAD = 20
"""So many items are read before they are needed."""
