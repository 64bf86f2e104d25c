"""``pointanno evaluate``: a prediction against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from pointanno.cli.console import Json, emit
from pointanno.evaluation.files import Metric


def evaluate_command(
    truth: Path,
    prediction: Path,
    *,
    metric: Metric | None = None,
    max_dets: Annotated[list[int] | None, Parameter(name="--max-dets", consume_multiple=True, negative=())] = None,
    fill_boxes: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
) -> None:
    """Measure a prediction: AP of instances, PQ or mIoU of panoptic segments, as fractions.

    Pictures are joined by file name where the prediction has it, else by image id.

    Example: `pointanno evaluate nuclei/val/instances.json pred.json --json`

    Parameters
    ----------
    truth
        COCO instances or COCO panoptic JSON.
    prediction
        COCO results list with run-length masks (AP), or COCO panoptic JSON (PQ, mIoU).
    metric
        By default AP for a list of results and PQ for panoptic predictions.
    max_dets
        Detections an image that count, one or several limits; by default 100 and 500. The main numbers are
        those of the smallest limit that holds all objects of the fullest picture (else of the largest).
    fill_boxes
        Evaluate the same detections with their boxes filled: what masks must beat.
    json
        Print one JSON object.
    """
    from pointanno.evaluation.average_precision import MAX_DETECTIONS
    from pointanno.evaluation.files import evaluate_files

    result = evaluate_files(
        truth,
        prediction,
        metric,
        max_dets=tuple(max_dets) if max_dets else MAX_DETECTIONS,
        fill_boxes=fill_boxes,
        progress=True,
    )
    emit(result, _describe(result), as_json=json)


def _describe(result: dict[str, Any]) -> str:
    """The result as lines for a person."""
    if result["metric"] == "ap":
        lines = [f"{'':>16}    AP   AP50   AP75"]
        for limit, values in result["max_detections"].items():
            lines.append(f"at most {limit:>4}/img  " + "  ".join(_show(values[key]) for key in ("ap", "ap50", "ap75")))
        lines.append(f"main numbers: at most {result['max_dets_used']} detections an image")
        return "\n".join(lines)
    if result["metric"] == "miou":
        return f"mIoU {_show(result['miou'])} over {len(result['per_class'])} classes"
    lines = [f"{'':>8}    PQ     SQ     RQ   classes"]
    for group in ("all", "things", "stuff"):
        values = result[group]
        if values is None:
            lines.append(f"{group:>8}  none of its classes occurs")
        else:
            lines.append(
                f"{group:>8}  " + "  ".join(_show(values[key]) for key in ("pq", "sq", "rq")) + f"  {values['n']:>4}"
            )
    return "\n".join(lines)


def _show(value: float | None) -> str:
    """Three decimals, or a dash."""
    return "    -" if value is None else f"{value:.3f}"
