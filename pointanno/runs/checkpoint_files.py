"""Where checkpoints lie; torch-free, so that the window can ask.

``checkpoints/last.json`` and ``checkpoints/best.json`` are small pointers that are replaced atomically;
each names a folder beside it that was written and synced completely before. So a worker that is killed
at any moment leaves the old checkpoint or the new one, never half of one, and one folder can be both.

A folder holds ``weights.safetensors`` (for predictions: the moving average if there is one),
``training.safetensors`` (the weights that are trained, if they differ), ``state.pt`` (optimiser,
scheduler, step; tensors and plain values only) and ``checkpoint.json`` (stage, step, classes, metric).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pointanno.runs.atomic import read_json

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("last", "best")
WEIGHTS, TRAINING_WEIGHTS, STATE, META = (
    "weights.safetensors",
    "training.safetensors",
    "state.pt",
    "checkpoint.json",
)


def pointer_file(folder: Path, name: str) -> Path:
    """The pointer of the checkpoint `name` ("last" or "best") in ``checkpoints/``."""
    if name not in NAMES:
        raise KeyError(f"checkpoint {name!r}: expected one of {', '.join(NAMES)}")
    return folder / f"{name}.json"


def read_pointer(folder: Path, name: str) -> dict[str, Any] | None:
    """What the pointer says (`folder`, `id`, `stage`, `step`, ...), None if there is no such checkpoint."""
    pointer = read_json(pointer_file(folder, name))
    if pointer is None or not (folder / str(pointer.get("folder")) / WEIGHTS).is_file():
        return None
    return pointer
