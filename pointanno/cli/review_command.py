"""``pointanno review``: what of a project deserves a second look, and which images are annotated twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, emit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pointanno.project import Project
    from pointanno.project.review_list import ReviewItem


def review_command(
    project: Path,
    *,
    reason: Annotated[str | None, Parameter(name=["--reason", "-r"])] = None,
    predictions: Path | None = None,
    run: Path | None = None,
    second_pass: float | None = None,
    limit: int = 100,
    json: Json = False,
) -> None:
    """List what waits for a review; possible while the project is open elsewhere. The window shows it item by item.

    Example: `pointanno review cells.pointanno --reason unsure`

    Parameters
    ----------
    project
        Project folder.
    reason
        unsure, fast, flagged, disagreement, later or everything; without one the counts of all are told.
    predictions
        File that `pointanno predict` wrote: list what contradicts it instead.
    run
        Run folder of a self-training: list the objects whose pseudo-label contradicts their answers instead.
    second_pass
        Choose this share (0 to 1) of the images for a blind second opinion. Always the same images for the same seed;
        a larger share contains the smaller one.
    limit
        Most items to list.
    json
        Print one JSON object.
    """
    from pointanno.project import Project

    with Project.open(project, writable=second_pass is not None) as opened:
        if second_pass is not None:
            chosen = len(opened.plan_second_pass(second_pass).payload["image_ids"])
            result: dict[str, Any] = {"project": str(opened.path), "share": second_pass, "images": chosen}
            emit(result, f"{opened.path}: {chosen} images are annotated twice", as_json=json)
            return
        result = {"project": str(opened.path), "counts": dict(opened.review_counts())}
        lines = [f"{opened.path}: " + ", ".join(f"{name} {count}" for name, count in result["counts"].items())]
        if reason is not None or predictions is not None or run is not None:
            names: dict[int, str] = {}
            found: list[dict[str, Any]] = []
            for item in _items(opened, reason, predictions, run):
                if len(found) == limit:
                    break
                name = names.setdefault(item.image_id, opened.image(item.image_id).file_name)
                found.append(_entry(item, name))
                lines.append(_line(item, name))
            result["items"] = found
    emit(result, "\n".join(lines), as_json=json)


def _items(project: Project, reason: str | None, predictions: Path | None, run: Path | None) -> Iterator[ReviewItem]:
    """Items page by page, from wherever they come."""
    from pointanno.project.contradictions import PredictionFile, contradiction_page, doubtful_items

    if run is not None:
        yield from doubtful_items(project, run)
        return
    file = None if predictions is None else PredictionFile(predictions)
    after: int | None = -1
    while after is not None:
        if file is not None:
            page = contradiction_page(project, file, after=after)
        else:
            assert reason is not None
            page = project.review_page(reason, after=after)
        yield from page.items
        after = page.after


def _entry(item: ReviewItem, name: str) -> dict[str, Any]:
    values = {
        **{"image": name, "uid": item.uid, "point": item.point, "reason": item.reason, "value": item.value},
        **{"other": item.other, "time_ms": item.time_ms, "note": item.note or None, "place": item.place},
        "category_id": item.category_id,
    }
    return {key: value for key, value in values.items() if value is not None}


def _line(item: ReviewItem, name: str) -> str:
    what = "image" if not item.uid else item.uid[:8] if item.point is None else f"{item.uid[:8]} point {item.point}"
    more = [item.value or "", f"other: {item.other}" if item.other else "", item.note]
    return f"  {name}  {what}  " + ", ".join(one for one in more if one)
