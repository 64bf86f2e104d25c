"""Where a training runs: accelerator, number of devices, threads, and how torchrun is recognised."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy

from pointanno.errors import InputError

if TYPE_CHECKING:
    from pointanno.runs import TrainArguments


def choose_device(wanted: str) -> str:
    """Name of a device as "cuda", "cuda:1", "mps" or "cpu": the wanted one, or the fastest there is for "auto".

    Raises
    ------
    InputError
        If the wanted one is absent.
    """
    has_mps = torch.backends.mps.is_available()
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    if wanted.startswith("cuda"):
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        number = wanted.partition(":")[2] or "0"
        if not number.isdigit() or int(number) >= count:
            raise InputError(
                f"--device {wanted}: torch sees {count} CUDA devices; use --device auto, or run `pointanno doctor` "
                "to see what is missing"
            )
    elif wanted == "mps" and not has_mps:
        raise InputError("--device mps: this machine has no Apple GPU that torch can use; use --device auto")
    return wanted


def is_torchrun() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ or ("RANK" in os.environ and "WORLD_SIZE" in os.environ)


def global_rank() -> int:
    """Rank among all processes of the training, 0 alone."""
    return int(os.environ.get("RANK", "0")) if is_torchrun() else 0


def make_fabric(arguments: TrainArguments, device: str, precision: str) -> Fabric:
    """Lightning Fabric for this process, launched."""
    kind, _, number = device.partition(":")
    options: dict[str, Any] = {"accelerator": kind, "precision": precision}
    if is_torchrun() and int(os.environ["WORLD_SIZE"]) > 1:
        local = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
        options |= {
            "devices": local,
            "num_nodes": int(os.environ["WORLD_SIZE"]) // local,
            # a picture without instances leaves heads without gradient
            "strategy": DDPStrategy(find_unused_parameters=True),
        }
    else:
        options["devices"] = [int(number)] if number else 1
    fabric = Fabric(**options)
    fabric.launch()
    return fabric


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def set_threads(wanted: int | None) -> int:
    """Set torch's threads on the CPU: as wanted, else as OMP_NUM_THREADS says, else all cores."""
    if wanted is not None:
        torch.set_num_threads(wanted)
    elif "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(available_cores())
    return torch.get_num_threads()
