"""What deserves a second look: unsure and fast answers, flags, disagreements, what was put off, or everything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from pointanno.errors import InputError
from pointanno.project import packing
from pointanno.project.agreement import MATCH_RADIUS, match_clicks
from pointanno.project.image_list import ImageFilter, ImageList
from pointanno.project.schema import images, reviews
from pointanno.project.tally import FAST_MS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pointanno.project.records import BoxAnnotation, Click, Event, ImageAnnotations, Review

REASONS = ("unsure", "fast", "flagged", "disagreement", "later")
EVERYTHING = "everything"
"""Beside the reasons: every answer, click and box that nobody has reviewed."""

_NO_ANSWER = (None, packing.ANSWERS[packing.CODES["pad"]])
_SUMS = select(
    func.coalesce(func.sum(images.c.unsure), 0).label("unsure"),
    func.coalesce(func.sum(images.c.fast), 0).label("fast"),
    func.coalesce(func.sum(images.c.flags), 0).label("flagged"),
    func.coalesce(func.sum(images.c.disagreements), 0).label("disagreement"),
    func.coalesce(func.sum(images.c.later), 0).label("later"),
    func.coalesce(func.sum(images.c.clicks + images.c.boxes + images.c.answers), 0).label(EVERYTHING),
)
_REVIEWED = select(func.count()).select_from(
    select(reviews.c.image_id, reviews.c.uid, reviews.c.point)
    .where((reviews.c.verdict == "confirm") | (reviews.c.verdict == "change"))
    .distinct()
    .subquery()
)


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One thing to look at again.

    Attributes
    ----------
    uid : str
        Of the click or box; "" for the whole image.
    point : int or None
        Index of the point of a box.
    reason : one of `REASONS`, "everything" or "model"
    value : what holds now, as far as there is an answer
    other : the second opinion, or that of a model, where it differs; "nothing" where it sees no object
    time_ms : of the answer
    note : the words of a flag
    place : pixel (x, y) of a click that only the second opinion has
    category_id : class of that click; the class that a model sees at a click
    """

    image_id: int
    uid: str
    point: int | None
    reason: str
    value: str | None = None
    other: str | None = None
    time_ms: int | None = None
    note: str = ""
    place: tuple[int, int] | None = None
    category_id: int | None = None


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """Some of what waits for a review.

    Attributes
    ----------
    items : tuple of ReviewItem
    after : int or None
        Place of the last image that was looked at, from which the next page goes on; None at the end.
    """

    items: tuple[ReviewItem, ...]
    after: int | None


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

    def review_page(self, reason: str, *, image_set: str | None = "", after: int = -1, images: int = 50) -> ReviewPage:
        """What waits for a review on the next few images.

        Parameters
        ----------
        reason : of `REASONS`, or "everything"
        image_set : name of an image set, "" for all images
        after : `ReviewPage.after` of the page before, -1 for the first one
        images : most images to read
        """
        if reason not in (*REASONS, EVERYTHING):
            raise InputError(
                f"review, reason: expected one of {', '.join((*REASONS, EVERYTHING))}, received {reason!r}"
            )
        where = ImageFilter(attention=None if reason == EVERYTHING else reason, image_set=image_set)
        found = self.image_page(where, after=after, count=images)
        items = tuple(
            item
            for image in found
            if reason != EVERYTHING or image.clicks or image.boxes
            for item in self._items(image.id, reason)
        )
        return ReviewPage(items, found[-1].position if len(found) == images else None)

    def review_counts(self) -> Mapping[str, int]:
        """How many items wait for each reason, and for "everything"; one look at the counters of the images.

        Of "disagreement" the number is a guess where clicks are compared: the counters do not know places.
        """
        row = self._store.first(_SUMS)
        assert row is not None
        counts = {name: int(row[name]) for name in (*REASONS, EVERYTHING)}
        reviewed = self._store.first(_REVIEWED)
        counts[EVERYTHING] = max(0, counts[EVERYTHING] - int((reviewed or [0])[0]))
        return counts

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
        done = {key for key, review in newest.items() if review.verdict != "later"}
        waiting: Iterator[ReviewItem]
        if reason == "flagged":
            for flag in found.flags:
                yield ReviewItem(image_id, flag.uid, None, reason, note=flag.reason)
            return
        if reason == "later":
            for (uid, point), review in newest.items():
                if review.verdict == "later":
                    yield self._put_off(found, uid, point, review.reason or "")
            return
        if reason == "disagreement":
            second = self.annotations(image_id, layer="second")
            is_done = self.image(image_id).second_pass == "done"
            waiting = _disagreements(found, second, with_clicks=is_done)
        elif reason == EVERYTHING:
            waiting = _everything(found)
        else:
            waiting = _doubtful(found, reason)
        for item in waiting:
            if (item.uid, item.point) not in done:
                yield item

    def _put_off(self, found: ImageAnnotations, uid: str, point: int | None, note: str) -> ReviewItem:
        """Something that was put off, as it stands now."""
        image_id = found.image_id
        box = next((one for one in found.boxes if one.uid == uid), None)
        if box is not None and point is not None and point < len(box.answers):
            return ReviewItem(image_id, uid, point, "later", box.answers[point], time_ms=box.times_ms[point], note=note)
        click = next((one for one in found.clicks if one.uid == uid), None)
        if click is not None:
            return ReviewItem(image_id, uid, None, "later", click.status, time_ms=click.time_ms, note=note)
        if box is None:
            clicks = self.annotations(image_id, layer="second").clicks
            other = next((one for one in clicks if one.uid == uid), None)
            if other is not None:
                return _only_second(image_id, other, "later", note)
        return ReviewItem(image_id, uid, point, "later", note=note)


def newest_reviews(found: ImageAnnotations) -> dict[tuple[str, int | None], Review]:
    """The last review of each point, click and box."""
    return {(one.uid, one.point): one for one in sorted(found.reviews, key=lambda one: one.superseded_by)}


def _doubtful(found: ImageAnnotations, reason: str) -> Iterator[ReviewItem]:
    """Unsure or fast answers."""

    def fits(answer: str | None, time_ms: int | None) -> bool:
        return answer == "unsure" if reason == "unsure" else time_ms is not None and time_ms < FAST_MS

    for click in found.clicks:
        if fits(click.status, click.time_ms):
            yield _of_click(found.image_id, click, reason)
    for box in found.boxes:
        for point, (answer, time_ms) in enumerate(zip(box.answers, box.times_ms, strict=True)):
            if answer is not None and fits(answer, time_ms):
                yield ReviewItem(found.image_id, box.uid, point, reason, answer, time_ms=time_ms)


def _everything(found: ImageAnnotations) -> Iterator[ReviewItem]:
    """Clicks; boxes, each followed by its answers."""
    for click in found.clicks:
        yield _of_click(found.image_id, click, EVERYTHING)
    for box in found.boxes:
        yield ReviewItem(found.image_id, box.uid, None, EVERYTHING, time_ms=box.box_time_ms)
        for point, (answer, time_ms) in enumerate(zip(box.answers, box.times_ms, strict=True)):
            if answer not in _NO_ANSWER:
                yield ReviewItem(found.image_id, box.uid, point, EVERYTHING, answer, time_ms=time_ms)


def _disagreements(main: ImageAnnotations, second: ImageAnnotations, *, with_clicks: bool) -> Iterator[ReviewItem]:
    """Points that two people answered differently; clicks that only one of them made."""
    image_id = main.image_id
    firsts: dict[str, BoxAnnotation] = {box.uid: box for box in main.boxes}
    for copy in second.boxes:
        first = firsts.get(copy.copy_of or "")
        if first is None:
            continue
        for point, (one, other) in enumerate(zip(first.answers, copy.answers, strict=False)):
            if one != other and one not in _NO_ANSWER and other not in _NO_ANSWER:
                yield ReviewItem(image_id, first.uid, point, "disagreement", one, other, first.times_ms[point])
    if with_clicks:
        match = match_clicks(main.clicks, second.clicks, MATCH_RADIUS)
        for click in match.only_first:
            yield replace(_of_click(image_id, click, "disagreement"), other="nothing")
        for click in match.only_second:
            yield _only_second(image_id, click, "disagreement")


def _of_click(image_id: int, click: Click, reason: str) -> ReviewItem:
    return ReviewItem(image_id, click.uid, None, reason, click.status, time_ms=click.time_ms)


def _only_second(image_id: int, click: Click, reason: str, note: str = "") -> ReviewItem:
    """A click that only the second opinion has."""
    place = (click.x, click.y)
    return ReviewItem(
        image_id, click.uid, None, reason, None, click.status, note=note, place=place, category_id=click.category_id
    )
