"""What two people did to the same thing without knowing of each other, while events of copies are joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from pointanno.project.store import AnyRow

_MAKING = frozenset({"click", "box", "import"})
_OF_IMAGE = frozenset({"complete", "skip_image", "second_done"})


@dataclass(slots=True)
class _Seen:
    """An event that changed a thing, and which copies have it."""

    uuid: str
    kind: str
    copies: tuple[bool, ...]


@dataclass(slots=True)
class Conflicts:
    """Collected in the order of the events; two are in conflict if no copy has both."""

    _last: dict[Hashable, _Seen] = field(default_factory=dict)
    _made: dict[int, list[_Seen]] = field(default_factory=dict)
    _entries: list[dict[str, Any]] = field(default_factory=list)

    def note(self, row: AnyRow, payload: Mapping[str, Any], image_id: int | None, copies: Sequence[bool]) -> None:
        """An event takes effect: see whether it overrides one that its author did not know."""
        seen = _Seen(row["uuid"], row["kind"], tuple(copies))
        for thing in _things(row["kind"], payload, image_id):
            earlier = self._last.get(thing)
            if earlier is not None and _are_apart(earlier, seen):
                self._entries.append(
                    {
                        **{"what": "changed_twice", "image": image_id, "kept": seen.uuid},
                        "superseded": [earlier.uuid],
                        "sentence": f"{_words(thing)} was changed in two copies ({earlier.kind}, {seen.kind}); "
                        "the later change holds",
                    }
                )
            self._last[thing] = seen
        if row["kind"] in _MAKING and image_id is not None and payload.get("layer", "main") == "main":
            self._made.setdefault(image_id, []).append(seen)

    def note_void(self, row: AnyRow, image_id: int | None, why: str) -> None:
        """An event of one copy does not fit what another one did before."""
        self._entries.append(
            {
                **{"what": "without_effect", "image": image_id, "kept": None, "superseded": [row["uuid"]]},
                "sentence": f"{row['kind']} has no effect: {why}",
            }
        )

    def note_renamed(self, old: str, new: str) -> None:
        """A class is a thing in one copy and stuff in another."""
        self._entries.append(
            {
                **{"what": "class_renamed", "image": None, "kept": None, "superseded": []},
                "sentence": f"class {old!r} is thing in one copy and stuff in another; the later one is called {new!r}",
            }
        )

    def entries(self) -> list[dict[str, Any]]:
        """All conflicts; images that were annotated in copies that do not know each other come last."""
        doubles: list[dict[str, Any]] = []
        for image_id, made in sorted(self._made.items()):
            groups: dict[tuple[bool, ...], int] = {}
            for one in made:
                groups[one.copies] = groups.get(one.copies, 0) + 1
            apart = [
                key for key in groups if any(not any(a and b for a, b in zip(key, k, strict=True)) for k in groups)
            ]
            if len(apart) > 1:
                numbers = " and ".join(str(groups[key]) for key in sorted(apart, key=lambda key: -groups[key]))
                doubles.append(
                    {
                        **{"what": "annotated_twice", "image": image_id, "kept": None, "superseded": []},
                        "sentence": f"image {image_id} got new annotations in several copies ({numbers}); all stay, "
                        "look for objects that are there twice",
                    }
                )
        return [*self._entries, *doubles]


def _are_apart(one: _Seen, other: _Seen) -> bool:
    """Whether no copy has both events, so that neither author knew of the other."""
    return not any(a and b for a, b in zip(one.copies, other.copies, strict=True))


def _things(kind: str, payload: Mapping[str, Any], image_id: int | None) -> list[Hashable]:
    """What an event changes, so that another change of the same is noticed."""
    if kind in _OF_IMAGE:
        return [(image_id, kind)]
    if kind == "absent":
        return [(image_id, kind, payload["category_id"])]
    if kind == "flag":
        return [(image_id, kind, payload.get("uid", ""))]
    if kind in ("answer", "review"):
        return [(image_id, "point", payload["uid"], payload.get("point", -1))]
    if kind in ("move", "reclass", "delete", "mask", "resample", "target_done", "skip_box"):
        return [(image_id, "object", payload["uid"])]
    if kind == "category_changed":
        return [("category", payload["id"], name) for name in payload if name != "id"]
    if kind in ("categories_reordered", "image_set", "second_pass"):
        return [(kind, payload.get("name", ""))]
    return []


def _words(thing: Hashable) -> str:
    """A thing for a person."""
    assert isinstance(thing, tuple), "all are tuples"
    match thing:
        case ("category", number, name):
            return f"{name} of class {number}"
        case (image_id, "point", _, point) if point >= 0:
            return f"image {image_id}: the answer about point {point}"
        case (image_id, "point" | "object", *_):
            return f"image {image_id}: an object"
        case ("categories_reordered" | "image_set" | "second_pass" as kind, name):
            return f"{kind.replace('_', ' ')} {name}".strip()
        case (image_id, kind, *_):
            return f"image {image_id}: {kind.replace('_', ' ')}"
    return str(thing)
