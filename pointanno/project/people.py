"""Several annotators: pseudonyms, a blind second pass, hidden gold items, and how far they agree."""

from __future__ import annotations

import getpass
import hashlib
import platform
import secrets
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from pointanno.errors import InputError
from pointanno.project import opening
from pointanno.project.agreement import MATCH_RADIUS, Agreement, agreement_of, pair_boxes, pair_clicks
from pointanno.project.image_list import ImageFilter
from pointanno.project.journal import AT_CREATION
from pointanno.project.review_list import ReviewList
from pointanno.project.schema import annotators, events, images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pointanno.project.records import Event
    from pointanno.project.store import AnyRow

_NAMES = select(annotators.c.name, annotators.c.origin).order_by(annotators.c.id)
_WORK = select(events.c.seq).where(events.c.source != AT_CREATION).limit(1)
"""Anything that was done after the project was made."""

_UIDS = select(images.c.id, images.c.uid, images.c.second, images.c.position).order_by(images.c.position)

PREFIX = "anon-"
FIRST = f"{PREFIX}1"

HERE = "annotators_here"
"""Setting: which pseudonym goes on at which computer. Both are told as a hash only."""

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
        pseudonym = self.new_pseudonym()
        self.name_annotator(pseudonym, name)
        return pseudonym

    def annotator_called(self, who: str) -> str:
        """The pseudonym of a person who is told by it or by name; a name that is new here gets one."""
        return who if who.startswith(PREFIX) or who in self.annotators() else self.pseudonym_for(who)

    def annotators(self) -> list[str]:
        """Pseudonyms of all who annotated in this project or were named, the earliest first; those of files are not."""
        found = [row[0] for row in self._store.rows(_NAMES) if row[1] is None]
        return list(dict.fromkeys([*found, *self.people(), *self._settings.get(HERE, {}).values()]))

    def new_pseudonym(self) -> str:
        """A pseudonym that nobody has: "anon-1" for the first person, a random one for everybody else.

        Random, because two copies of a project that are joined later must not call two people the same.
        """
        taken = {*self.annotators(), *(row[0] for row in self._store.rows(_NAMES))}
        named = {*self.people(), *self._settings.get(HERE, {}).values()}
        if FIRST not in named and self._store.first(_WORK) is None:
            return FIRST
        while (pseudonym := f"{PREFIX}{secrets.token_hex(2)}") in taken:
            pass
        return pseudonym

    def annotator_here(self) -> str | None:
        """The pseudonym of whoever worked on this project at this computer last, under this account."""
        found = self._settings.get(HERE, {}).get(self._here())
        return None if found is None else str(found)

    def remember_annotator(self, pseudonym: str) -> None:
        """Note that this pseudonym goes on at this computer; a copy of the project elsewhere does not take it over."""
        values = {HERE: {**self._settings.get(HERE, {}), self._here(): pseudonym}}
        with self._store.transaction():
            opening.set_settings(self._store, values)
        self._settings.update(values)

    def _here(self) -> str:
        """Computer and account, not to be read back."""
        try:
            user = getpass.getuser()
        except (KeyError, OSError):  # an account without a name
            user = ""
        text = f"{platform.node()}\n{user}\n{self._settings.get('seed', 0)}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    # the second pass --------------------------------------------------------------------------------------------

    def plan_second_pass(
        self, share: float, *, seed: int | None = None, image_set: str | None = "", where: ImageFilter | None = None
    ) -> Event:
        """Choose the images that a second person annotates, blind, as one event.

        Every image is drawn by itself, from the seed and its uid: the choice does not depend on the other images,
        and a larger share contains the smaller one.

        Parameters
        ----------
        share : float in [0, 1]
        seed : int or None
            None takes that of the project.
        image_set : name of an image set, "" for all images
        where : ImageFilter or None
            Only images that pass it; others keep what was chosen for them.

        Raises
        ------
        InputError
            If the share is out of its range.
        """
        if not 0 <= share <= 1:
            raise InputError(f"second pass, share: expected a share from 0 to 1, received {share}")
        number = self._settings["seed"] if seed is None else seed
        wanted: set[int] | None = None
        if where is not None or image_set != "":
            wanted = set(self.image_places(where or ImageFilter(image_set=image_set)).tolist())
        chosen: list[AnyRow] = []
        released: list[AnyRow] = []
        for row in self._store.rows(_UIDS):
            if wanted is not None and row["position"] not in wanted:
                continue
            (chosen if is_drawn(row["uid"], share, number) else released).append(row)
        payload = {"share": share, "seed": number, "image_ids": [row["id"] for row in chosen]}
        payload["released_ids"] = [row["id"] for row in released if row["second"]]
        return self.record("second_pass", payload)

    def agreement(self, against: str = "second", *, radius: float = MATCH_RADIUS) -> Agreement:
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
