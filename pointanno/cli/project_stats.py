"""What ``pointanno stats`` says about a project."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any


def project_stats(path: Path) -> dict[str, Any]:
    """Counts of a project; read from its counters, so it takes no longer for a large one."""
    from pointanno.project import Project

    with Project.open(path, writable=False) as opened:
        agreement = {name: asdict(opened.agreement(name)) for name in ("second", "gold")}
        return {
            "project": str(opened.path),
            "counts": opened.counts(),
            "categories": [{"id": one.id, "name": one.name, "isthing": one.isthing} for one in opened.categories()],
            "image_sets": [
                {"name": one.name, "protocol": one.protocol, "options": dict(one.options), "images": one.images}
                for one in opened.image_sets()
            ],
            "agreement": {name: one for name, one in agreement.items() if one["answers"] or one["clicks"]},
        }


def describe_project(result: dict[str, Any]) -> str:
    """The counts as lines for a person."""
    counts = result["counts"]
    lines = [
        result["project"],
        f"images      {counts['images']} ({counts['complete']} complete, {counts['in_progress']} in progress, "
        f"{counts['unlabelled']} unlabelled, {counts['skipped']} skipped)",
        f"annotated   {counts['boxes']} boxes, {counts['answers']} answers, {counts['clicks']} clicks",
        f"to review   images with: flags {counts['flagged']}, unsure answers {counts['unsure']}, fast answers "
        f"{counts['fast']}, disagreements {counts['disagreement']}, put off {counts['later']}",
    ]
    for one in result["image_sets"]:
        lines.append(f"image set   {one['name']}: {one['images']} images, {one['protocol']}")
    for name, one in result["agreement"].items():
        kappa = "unknown" if one["kappa"] is None else f"{one['kappa']:.3f}"
        text = f"agreement   with {'the second opinion' if name == 'second' else 'known answers'}: "
        text += f"{one['same']} of {one['answers']} answers the same (kappa {kappa})"
        if one["clicks"]:
            text += f", {one['clicks']} pairs of clicks, median distance {one['median_distance']:.1f} px"
        lines.append(text)
    return "\n".join(lines)
