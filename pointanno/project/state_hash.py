"""One number for the current state of a project, to compare two of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import select

from pointanno.project.schema import categories, category_aliases, flags, image_sets, images, reviews

if TYPE_CHECKING:
    from pointanno.project.parts import PartReader
    from pointanno.project.store import Store

_CATEGORIES = select(categories).order_by(categories.c.id)
_OTHERS = (
    select(flags).order_by(flags.c.image_id, flags.c.uid),
    select(reviews).order_by(reviews.c.image_id, reviews.c.uid, reviews.c.point, reviews.c.seq),
    select(category_aliases).order_by(category_aliases.c.old),
    select(image_sets).order_by(image_sets.c.id),
)
_IMAGES = select(images).order_by(images.c.position)


def state_hash(store: Store, parts: PartReader) -> str:
    """SHA-256 of classes, counters, annotations, flags, reviews and image sets.

    Whether imported objects are still packed makes no difference, nor does the way by which the state came about.
    """
    digest = hashlib.sha256()
    for row in store.rows(_CATEGORIES):
        digest.update(repr(tuple(row)).encode())
    for query in _OTHERS:
        for row in store.rows(query):
            digest.update(repr(tuple(row)).encode())
    for image in store.rows(_IMAGES):
        state = {key: image[key] for key in image.keys() if key != "packed"}
        digest.update(repr(sorted(state.items())).encode())
        for name, objects in parts.rows(image).items():
            for one in objects:
                digest.update(f"{name}{sorted(one.items())!r}".encode())
    return digest.hexdigest()
