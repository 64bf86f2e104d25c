"""What deserves a second look: unsure and fast answers, flags, disagreements, what was put off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pointanno.errors import InputError
from pointanno.project import packing
from pointanno.project.image_list import ImageFilter, ImageList
from pointanno.project.tally import FAST_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pointanno.project.records import BoxAnnotation, Event, ImageAnnotations, Review

REASONS = ("unsure", "fast", "flagged", "disagreement", "later")


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One thing to look at again.

    Attributes
    ----------
    uid : str
        Of the click or box; "" for the whole image.
    point : int or None
        Index of the point of a box.
    reason : one of `REASONS`
    value : what holds now, as far as there is an answer
    other : the second opinion, where it differs
    time_ms : of the answer
    note : the words of a flag
    """

    image_id: int
    uid: str
    point: int | None
    reason: str
    value: str | None = None
    other: str | None = None
    time_ms: int | None = None
    note: str = ""


class ReviewList(ImageList):
    """Queries for a review, and the records that it writes."""

    def review_items(
        self, reasons: Sequence[str] = REASONS, *, image_set: str | None = "", after: int = -1, images: int = 50
    ) -> Iterator[ReviewItem]:
        """What waits for a review, image by image.

        Only images whose counters say that there is something are read.

        Parameters
        ----------
        reasons : of `REASONS`
        image_set : name of an image set, "" for all images
        after : place of the last image that was seen
        images : most images to read for each reason
        """
        for reason in reasons:
            if reason not in REASONS:
                raise InputError(f"review, reason: expected one of {', '.join(REASONS)}, received {reason!r}")
            found = self.image_page(ImageFilter(attention=reason, image_set=image_set), after=after, count=images)
            for image in found:
                yield from self._items(image.id, reason)

    def review(
        self,
        image_id: int,
        uid: str,
        verdict: str,
        *,
        point: int | None = None,
        time_ms: int | None = None,
        t_mono_ns: int | None = None,
        **change: str | int | None,
    ) -> Event:
        """Write a review record; the original answer is kept in it.

        Parameters
        ----------
        image_id : int
        uid : of a click or box
        verdict : "confirm", "change", "delete" or "later"
        point : index of a point of a box
        time_ms : how long the person looked
        t_mono_ns : of the input
        **change
            For "change": `value` of a point; `category_id`, or `x` and `y`, of an object. Also `reason`.
        """
        payload = {"uid": uid, "verdict": verdict, "point": point, "time_ms": time_ms, **change}
        return self.record(
            "review",
            {key: value for key, value in payload.items() if value is not None},
            image_id=image_id,
            t_mono_ns=t_mono_ns,
        )

    def _items(self, image_id: int, reason: str) -> Iterator[ReviewItem]:
        found = self.annotations(image_id)
        newest = newest_reviews(found)
        if reason == "flagged":
            for flag in found.flags:
                yield ReviewItem(image_id, flag.uid, None, reason, note=flag.reason)
        elif reason == "later":
            for (uid, point), review in newest.items():
                if review.verdict == "later":
                    yield ReviewItem(image_id, uid, point, reason, note=review.reason or "")
        elif reason == "disagreement":
            second = self.annotations(image_id, layer="second")
            gold = self.annotations(image_id, layer="gold")
            yield from _disagreements(image_id, {box.uid: box for box in (*found.boxes, *gold.boxes)}, second)
        else:
            done = {key for key, review in newest.items() if review.verdict != "later"}
            for item in _doubtful(image_id, found, reason):
                if (item.uid, item.point) not in done:
                    yield item


def newest_reviews(found: ImageAnnotations) -> dict[tuple[str, int | None], Review]:
    """The last review of each point, click and box."""
    return {(one.uid, one.point): one for one in sorted(found.reviews, key=lambda one: one.superseded_by)}


def _doubtful(image_id: int, found: ImageAnnotations, reason: str) -> Iterator[ReviewItem]:
    """Unsure or fast answers."""

    def fits(answer: str | None, time_ms: int | None) -> bool:
        return answer == "unsure" if reason == "unsure" else time_ms is not None and time_ms < FAST_MS

    for click in found.clicks:
        if fits(click.status, click.time_ms):
            yield ReviewItem(image_id, click.uid, None, reason, click.status, time_ms=click.time_ms)
    for box in found.boxes:
        for point, (answer, time_ms) in enumerate(zip(box.answers, box.times_ms, strict=True)):
            if answer is not None and fits(answer, time_ms):
                yield ReviewItem(image_id, box.uid, point, reason, answer, time_ms=time_ms)


def _disagreements(image_id: int, firsts: dict[str, BoxAnnotation], second: ImageAnnotations) -> Iterator[ReviewItem]:
    """Points that two people answered differently."""
    unanswered = (None, packing.ANSWERS[packing.CODES["pad"]])
    for copy in second.boxes:
        first = firsts.get(copy.copy_of or "")
        if first is None:
            continue
        for point, (one, other) in enumerate(zip(first.answers, copy.answers, strict=False)):
            if one != other and one not in unanswered and other not in unanswered:
                yield ReviewItem(image_id, first.uid, point, "disagreement", one, other, first.times_ms[point])
