"""Writing and reading checkpoints; their form is told in `pointanno.runs.checkpoint_files`.

Order of writing: a folder with a temporary name, each file synced, folder renamed and synced, then the
pointer replaced. Only then are folders that no pointer names removed.
"""

from __future__ import annotations

import io
import os
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
import torch
from safetensors.torch import load_file, save

from pointanno.atomic import sync_folder
from pointanno.dataset import Category
from pointanno.errors import InputError
from pointanno.runs.atomic import read_json, replace_json, write_synced
from pointanno.runs.checkpoint_files import (
    META,
    NAMES,
    STATE,
    TRAINING_WEIGHTS,
    WEIGHTS,
    pointer_file,
    read_pointer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

Weights = dict[str, "Tensor"]


def categories_to_list(categories: Sequence[Category]) -> list[dict[str, Any]]:
    """Classes as plain values."""
    return [asdict(category) for category in categories]


def categories_from_list(entries: Sequence[Mapping[str, Any]]) -> tuple[Category, ...]:
    """Inverse of `categories_to_list`."""
    return tuple(
        Category(
            id=int(entry["id"]),
            name=str(entry["name"]),
            isthing=bool(entry["isthing"]),
            supercategory=str(entry.get("supercategory", "")),
            color=tuple(entry["color"]) if entry.get("color") else None,
        )
        for entry in entries
    )


def _to_bytes(weights: Mapping[str, Tensor]) -> bytes:
    """Weights in the form of safetensors; tensors that share memory are written twice."""
    seen: set[int] = set()
    separate: Weights = {}
    for name, value in weights.items():
        tensor = value.detach().cpu().contiguous()
        if tensor.data_ptr() in seen:
            tensor = tensor.clone()
        seen.add(tensor.data_ptr())
        separate[name] = tensor
    return bytes(save(separate))


class CheckpointFolder:
    """The ``checkpoints/`` of a run, as its only writer sees it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.folder.mkdir(exist_ok=True)
        self.clean()

    def clean(self) -> None:
        """Remove what no pointer names: remains of a worker that died, and superseded checkpoints."""
        pointers = [read_pointer(self.folder, name) for name in NAMES]
        kept = {pointer["folder"] for pointer in pointers if pointer is not None}
        for path in self.folder.iterdir():
            if path.is_dir() and path.name not in kept:
                shutil.rmtree(path, ignore_errors=True)
            elif path.name.endswith((".tmp", ".part")):
                path.unlink(missing_ok=True)

    def write(
        self,
        names: Sequence[str],
        *,
        weights: Mapping[str, Tensor],
        training_weights: Mapping[str, Tensor] | None,
        state: Mapping[str, Any],
        meta: Mapping[str, Any],
    ) -> str:
        """Write one checkpoint and let the pointers `names` name it.

        Returns
        -------
        str
            Its id.

        Raises
        ------
        OSError
            If it could not be written (a full disk); the previous checkpoints are untouched.
        """
        number = self._next_number()
        identity = f"{meta['stage']}-{meta['step']:06d}-{number}"
        temporary = self.folder / f".{identity}.tmp"
        try:
            temporary.mkdir()
            write_synced(temporary / WEIGHTS, _to_bytes(weights))
            if training_weights is not None:
                write_synced(temporary / TRAINING_WEIGHTS, _to_bytes(training_weights))
            buffer = io.BytesIO()
            torch.save(dict(state), buffer)
            write_synced(temporary / STATE, buffer.getvalue())
            write_synced(temporary / META, orjson.dumps({**meta, "id": identity}, option=orjson.OPT_INDENT_2))
            sync_folder(temporary)
            os.rename(temporary, self.folder / identity)
            sync_folder(self.folder)
            pointer = {
                "folder": identity,
                "id": identity,
                **{key: meta.get(key) for key in ("stage", "step", "metric", "value")},
            }
            for name in names:
                replace_json(pointer_file(self.folder, name), pointer)
        except OSError:
            shutil.rmtree(temporary, ignore_errors=True)
            self.clean()
            raise
        self.clean()
        return identity

    def _next_number(self) -> int:
        numbers = [path.name.rpartition("-")[2] for path in self.folder.iterdir() if path.is_dir()]
        return 1 + max((int(number) for number in numbers if number.isdigit()), default=0)


def read_weights(checkpoint: Path, *, training: bool = False) -> Weights:
    """Weights of a checkpoint folder: for predictions, or those that are trained on.

    Raises
    ------
    InputError
        If the file is damaged or gone.
    """
    path = checkpoint / TRAINING_WEIGHTS
    if not training or not path.is_file():
        path = checkpoint / WEIGHTS
    try:
        return dict(load_file(path))
    except FileNotFoundError:
        raise
    except Exception as error:
        raise InputError(f"{path}: the weights could not be read ({error}); use another checkpoint or run") from error


def read_state(checkpoint: Path) -> dict[str, Any]:
    """Optimiser, scheduler and step of a checkpoint folder; nothing in it is executed.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = checkpoint / STATE
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{path}: the training state could not be read ({error}); start a new run") from error
    assert isinstance(state, dict)
    return state


def read_meta(checkpoint: Path) -> dict[str, Any]:
    """Stage, step, classes and metric of a checkpoint folder.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    meta = read_json(checkpoint / META)
    if meta is None:
        raise InputError(f"{checkpoint / META}: missing or damaged; use another checkpoint or run")
    return meta
