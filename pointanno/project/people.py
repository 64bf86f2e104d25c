"""Several annotators: pseudonyms, a blind second pass, hidden gold items, and how far they agree."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pointanno.errors import InputError
from pointanno.project import opening
from pointanno.project.agreement import Agreement, agreement_of, pair_boxes, pair_clicks
from pointanno.project.image_list import ImageFilter
from pointanno.project.review_list import ReviewList
from pointanno.project.schema import annotators, images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.project.records import Event
    from pointanno.project.store import AnyRow

_NAMES = select(annotators.c.name)
_UIDS = select(images.c.id, images.c.uid, images.c.second).order_by(images.c.position)

PEOPLE = "people"
"""Setting that holds the names behind the pseudonyms; it stays in this file and is never exported unasked."""


class People(ReviewList):
    """Who annotates, and what is annotated twice."""

    def people(self) -> Mapping[str, str]:
        """Names by pseudonym, as far as they were told; local to this copy of the project."""
        return dict(self._settings.get(PEOPLE, {}))

    def name_annotator(self, pseudonym: str, name: str) -> None:
        """Note who is behind a pseudonym; not an event, so it does not travel with the journal."""
        values = {PEOPLE: {**self.people(), pseudonym: name}}
        with self._store.transaction():
            opening.set_settings(self._store, values)
        self._settings.update(values)

    def pseudonym_for(self, name: str) -> str:
        """The pseudonym of a person; a new one is made and noted if the name is new here."""
        for pseudonym, known in self.people().items():
            if known == name:
                return pseudonym
        taken = {row[0] for row in self._store.rows(_NAMES)} | set(self.people())
        while (pseudonym := f"anon-{secrets.token_hex(2)}") in taken:
            pass
        self.name_annotator(pseudonym, name)
        return pseudonym

    # the second pass --------------------------------------------------------------------------------------------

    def plan_second_pass(self, share: float, *, seed: int | None = None, image_set: str | None = "") -> Event:
        """Choose the images that a second person annotates, blind, as one event.

        Every image is drawn by itself, from the seed and its uid: the choice does not depend on the other images,
        and a larger share contains the smaller one.

        Parameters
        ----------
        share : float in [0, 1]
        seed : int or None
            None takes that of the project.
        image_set : name of an image set, "" for all images

        Raises
        ------
        InputError
            If the share is out of its range.
        """
        if not 0 <= share <= 1:
            raise InputError(f"second pass, share: expected a share from 0 to 1, received {share}")
        number = self._settings["seed"] if seed is None else seed
        wanted = None
        if image_set != "":
            wanted = {one.id for one in self.image_page(ImageFilter(image_set=image_set), count=-1)}
        chosen: list[AnyRow] = []
        released: list[AnyRow] = []
        for row in self._store.rows(_UIDS):
            if wanted is not None and row["id"] not in wanted:
                continue
            (chosen if is_drawn(row["uid"], share, number) else released).append(row)
        payload = {"share": share, "seed": number, "image_ids": [row["id"] for row in chosen]}
        payload["released_ids"] = [row["id"] for row in released if row["second"]]
        return self.record("second_pass", payload)

    def agreement(self, against: str = "second", *, radius: float = 20.0) -> Agreement:
        """How far the main annotations agree with the second opinion or with the known answers.

        Parameters
        ----------
        against : "second" or "gold"
            For "gold", answers about copies of gold boxes count, whatever layer they lie in.
        radius : float
            Pixels within which two clicks of one class mean the same object.
        """
        pairs: list[tuple[str, str]] = []
        distances: list[float] = []
        lonely = 0
        for image_id in self._images_with_others():
            main = self.annotations(image_id)
            second = self.annotations(image_id, layer="second")
            other = self.annotations(image_id, layer=against)
            pairs += pair_boxes(main, second, other if against == "gold" else None)
            if against == "gold" or self.image(image_id).second_pass == "done":
                found, single = pair_clicks(main.clicks, other.clicks, radius)
                distances += found
                lonely += single
        return agreement_of(pairs, distances, lonely)

    def _images_with_others(self) -> Sequence[int]:
        query = self._queries.get(("others",))
        if query is None:
            others: Any = select(images.c.id).where(images.c.others > 0).order_by(images.c.position)
            query = self._queries[("others",)] = others
        return [row[0] for row in self._store.rows(query)]


def is_drawn(uid: str, share: float, seed: int) -> bool:
    """Whether an image belongs to a seeded random share of all."""
    number = int.from_bytes(hashlib.sha256(f"second pass:{seed}:{uid}".encode()).digest()[:8], "little")
    return number < share * 2**64
