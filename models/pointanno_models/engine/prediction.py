"""A trained run as a function from pictures to predictions, and predictions as COCO results or label images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pointanno.dataset import InstancePrediction
from pointanno.errors import InputError
from pointanno.mask_patches import rle_to_patch
from pointanno.systems import load_system
from pointanno_models.engine.checkpoints import categories_from_list, read_meta, read_weights
from pointanno_models.engine.tiling import predict_any_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import nn

    from pointanno.dataset import Category, Prediction
    from pointanno.images import PixelSource
    from pointanno.runs import RunFolder
    from pointanno_models.engine.system import System

_MOST_SEGMENTS = np.iinfo(np.uint16).max


def build_empty_network(system: System) -> nn.Module:
    """A network whose weights are loaded afterwards: nothing is downloaded for it."""
    return system.build_network(weights=None, pretrained=False)


class Predictor:
    """The network of a checkpoint, ready for pictures.

    Raises
    ------
    InputError
        If the run has no such checkpoint or its files are damaged.
    """

    def __init__(self, run: RunFolder, checkpoint: str, device: str) -> None:
        self.system, self.network, self.checkpoint_id = _load(run, checkpoint)
        self.network.to(torch.device(device)).eval().requires_grad_(False)

    @property
    def categories(self) -> Sequence[Category]:
        """Classes of the predictions."""
        return self.system.categories

    def __call__(self, image: PixelSource, *, on_tile: Callable[[int, int], None] | None = None) -> Prediction:
        """Prediction for a picture of any size, as `pointanno.images.open_image` or `read_image` returns it."""
        return predict_any_size(self.system, self.network, image, on_tile=on_tile)


def _load(run: RunFolder, name: str) -> tuple[System, nn.Module, str]:
    """System and network of a checkpoint; read again if it is replaced meanwhile."""
    for attempt in range(5):
        checkpoint = run.checkpoint(name)
        if checkpoint is None and name == "best":
            checkpoint = run.checkpoint("last")
        if checkpoint is None:
            raise InputError(f"{run.path}: the run has no checkpoint yet; wait until the first one is written")
        try:
            return _load_checkpoint(run, checkpoint)
        except FileNotFoundError:
            if attempt == 4:
                raise
    raise AssertionError


def _load_checkpoint(run: RunFolder, checkpoint: Path) -> tuple[System, nn.Module, str]:
    weights = read_weights(checkpoint)
    meta = read_meta(checkpoint)
    implementation = load_system(str(meta["system"])).load()
    system: System = implementation(
        run.recipe(), categories_from_list(meta["categories"]), recipe_file=str(run.recipe_file)
    )
    network = build_empty_network(system)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise InputError(
            f"{checkpoint}: the weights do not fit the network of {run.recipe_file}, which must have been changed "
            "since; restore the recipe or use another run"
        ) from error
    return system, network, str(meta["id"])


def prediction_to_results(prediction: InstancePrediction, image_id: int, file_name: str) -> list[dict[str, Any]]:
    """Entries of a COCO results list, best first; boxes XYWH."""
    results = []
    for box, score, category_id, rle in zip(
        prediction.boxes.tolist(),
        prediction.scores.tolist(),
        prediction.category_ids.tolist(),
        prediction.rles,
        strict=True,
    ):
        counts = rle["counts"]
        results.append(
            {
                "image_id": image_id,
                "file_name": file_name,
                "category_id": int(category_id),
                "bbox": [round(v, 2) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1])],
                "score": round(float(score), 6),
                "segmentation": {
                    "size": [int(side) for side in rle["size"]],
                    "counts": counts.decode("ascii") if isinstance(counts, bytes) else counts,
                },
            }
        )
    return results


@dataclass(frozen=True, slots=True, eq=False)
class LabelImage:
    """A prediction as one picture of compact ids.

    Attributes
    ----------
    labels : (H, W) uint16
        0 is void, else 1..N.
    segments : N dicts
        `id`, `category_id`, `isthing`, `score` (None where there is none), `area` (visible pixels).
    """

    labels: NDArray[np.uint16]
    segments: list[dict[str, Any]]


def prediction_to_labels(
    prediction: Prediction, image_size: tuple[int, int], categories: Sequence[Category], *, least_score: float = 0.5
) -> LabelImage:
    """Paint a prediction, the best instance on top.

    Parameters
    ----------
    least_score : float in [0, 1]
        Instances below are left out: a detector lists many doubtful ones for the sake of AP.
    """
    things = {category.id: category.isthing for category in categories}
    found: dict[int, dict[str, Any]] = {}
    if isinstance(prediction, InstancePrediction):
        painted = np.zeros(image_size, dtype=np.int32)
        kept = [index for index in range(len(prediction)) if prediction.scores[index] >= least_score]
        # best last, so that it covers the others
        for index in sorted(kept, key=lambda index: (float(prediction.scores[index]), -index)):
            mask = rle_to_patch(prediction.rles[index])
            (top, left), (height, width) = mask.origin, mask.patch.shape
            painted[top : top + height, left : left + width][mask.patch.astype(bool)] = index + 1
            category_id = int(prediction.category_ids[index])
            found[index + 1] = {
                "category_id": category_id,
                "isthing": things.get(category_id, True),
                "score": float(prediction.scores[index]),
            }
    else:
        painted = prediction.panoptic_seg
        for info in prediction.segments_info:
            score = info.get("score")
            found[int(info["id"])] = {
                "category_id": int(info["category_id"]),
                "isthing": bool(info["isthing"]),
                "score": None if score is None else float(score),
            }
    return _compact(painted, found)


def _compact(painted: NDArray[np.int32], found: dict[int, dict[str, Any]]) -> LabelImage:
    """Ids 1..N for the segments that are seen, in the order of their ids; row by row, for maps are large."""
    identities = np.array(sorted(found), dtype=np.int64)
    places = np.zeros(painted.shape, dtype=np.uint32)  # 1 + place among the identities, 0 for void
    areas = np.zeros(len(identities) + 1, dtype=np.int64)
    for row, given in zip(places, painted, strict=True) if len(identities) else ():
        near = np.searchsorted(identities, given).clip(max=len(identities) - 1)
        row[:] = np.where(identities[near] == given, near + 1, 0)
        areas += np.bincount(row, minlength=len(areas))
    seen = (np.flatnonzero(areas[1:]) + 1)[:_MOST_SEGMENTS]
    compact = np.zeros(len(areas), dtype=np.uint16)
    compact[seen] = np.arange(1, len(seen) + 1)
    segments = [
        {"id": number, **found[int(identities[place - 1])], "area": int(areas[place])}
        for number, place in enumerate(seen.tolist(), start=1)
    ]
    return LabelImage(labels=compact[places], segments=segments)
