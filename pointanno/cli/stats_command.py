"""``pointanno stats``: what a file holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pointanno.cli.console import Json, emit


def stats_command(file: Path, *, json: Json = False) -> None:
    """Count images, boxes, clicks and points of an annotation file, by class and by answer.

    Of a project also: images by state, what waits for a review, image sets, agreement of annotators.

    Example: `pointanno stats points.json`

    Parameters
    ----------
    file
        COCO-point, PointSup, COCO instances or COCO panoptic JSON, or a project.
    json
        Print one JSON object.
    """
    from pointanno.formats import read_dataset
    from pointanno.formats.stats import count_dataset

    if file.is_dir():
        from pointanno.cli.project_stats import describe_project, project_stats

        found = project_stats(file)
        emit(found, describe_project(found), as_json=json)
        return
    result = {"file": str(file), **count_dataset(read_dataset(file))}
    emit(result, _describe(result), as_json=json)


def _describe(result: dict[str, Any]) -> str:
    """The counts as lines for a person."""
    points, targets = result["points"], result["targets"]
    lines = [
        f"{result['file']}",
        f"images      {result['images']} ({result['images_without_annotations']} without annotations)",
        f"boxes       {result['boxes']} ({result['crowd']} crowd, {result['masks']} with a mask)",
        f"clicked     {targets['things']} things, {targets['stuff']} of stuff",
        f"declared    {result['complete']} complete, {result['absences']} classes absent, {result['flagged']} flagged,"
        f" {result['skipped']} skipped",
        f"points      {points['all']} ({points['object']} object, {points['background']} background,"
        f" {points['ignored']} ignored)",
    ]
    if result["median_time_ms"] is not None:
        lines.append(f"per point   {result['median_time_ms']:.0f} ms (median)")
    width = max((len(category["name"]) for category in result["per_category"].values()), default=5)
    lines.append(f"{'class':<{width}}  kind   boxes  clicked  points")
    for category in result["per_category"].values():
        kind = "thing" if category["isthing"] else "stuff"
        lines.append(
            f"{category['name']:<{width}}  {kind}  {category['boxes']:>6}  {category['targets']:>7}"
            f"  {category['points']:>6}"
        )
    return "\n".join(lines)
