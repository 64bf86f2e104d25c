"""Where a training runs: accelerator, number of devices, threads, and the processes that share it."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from pointanno.errors import InputError
from pointanno.runs.ranks import Ranks, this_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from pointanno.runs import TrainArguments

Result = TypeVar("Result")


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


def global_rank() -> int:
    """Rank among all processes of the training, 0 alone."""
    return this_process().rank


def make_fabric(arguments: TrainArguments, device: str, precision: str) -> Fabric:
    """Lightning Fabric for this process, launched: with the other processes that torchrun or srun started."""
    kind, _, number = device.partition(":")
    options: dict[str, Any] = {"accelerator": kind, "precision": precision}
    ranks = this_process()
    if ranks.size > 1:
        if ranks.launcher == "srun":
            _speak_as_torchrun(ranks)
        options |= {
            "devices": ranks.local_size,
            "num_nodes": ranks.size // ranks.local_size,
            # a picture without instances leaves heads without gradient
            "strategy": DDPStrategy(find_unused_parameters=True),
            "plugins": [TorchElasticEnvironment()],
        }
    else:
        # by name: inside a job of Slurm that starts one process, Fabric would wait for the others
        options |= {"devices": [int(number)] if number else 1, "plugins": [LightningEnvironment()]}
    fabric = Fabric(**options)
    fabric.launch()
    return fabric


def _speak_as_torchrun(ranks: Ranks) -> None:
    """Tell Fabric by the environment what Slurm says: one way for both, and no options that must be given twice."""
    os.environ |= {
        "RANK": str(ranks.rank),
        "WORLD_SIZE": str(ranks.size),
        "LOCAL_RANK": str(ranks.local_rank),
        "LOCAL_WORLD_SIZE": str(ranks.local_size),
        "GROUP_RANK": os.environ.get("SLURM_NODEID", "0"),
    }
    nodes = os.environ.get("SLURM_STEP_NODELIST") or os.environ.get("SLURM_NODELIST") or "127.0.0.1"
    os.environ.setdefault("MASTER_ADDR", SLURMEnvironment.resolve_root_node_address(nodes))
    # every process knows the number of the job, and two jobs on one machine have different ones
    job = int(os.environ.get("SLURM_JOB_ID", "0"))
    os.environ.setdefault("MASTER_PORT", str(15000 + job % 10000))


def on_first_rank(arguments: TrainArguments, device: str, task: Callable[[], Result]) -> Result:
    """Do something on the first process while the others wait, however long it takes; its result on all."""
    if this_process().size == 1:
        return task()
    make_fabric(arguments, device, "32-true")  # joins the processes
    # the usual group gives up after minutes
    group: Any = torch.distributed.new_group(backend="gloo", timeout=timedelta(days=30))
    results = [task() if global_rank() == 0 else None]
    torch.distributed.broadcast_object_list(results, src=0, group=group)
    torch.distributed.destroy_process_group(group)
    [result] = results
    assert result is not None
    return result


def part() -> None:
    """Let the processes that trained together part when all are done: one that ends before can take others with it."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()


def make_repeatable() -> None:
    """Let torch use only operations that give the same bits each time, also on a GPU; others raise an error."""
    # cuBLAS reads it when it is first used
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False


def unrepeatable_operation(error: BaseException) -> str | None:
    """Name of the operation that has no repeatable form on this device, if the error says so."""
    found = re.search(r"(\S+) does not have a deterministic implementation", str(error))
    return None if found is None else found.group(1)


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
