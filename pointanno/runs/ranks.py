"""Which of several processes of one training this is, as torchrun or Slurm's srun tell by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Ranks:
    """The place of this process among those of the training."""

    rank: int
    """0 writes the run folder and talks."""
    size: int
    local_rank: int
    """Among those of this machine; says which GPU is its own."""
    local_size: int
    launcher: str
    """"torchrun", "srun" or "" where this process was started by hand."""

    @property
    def is_first(self) -> bool:
        """Whether this process writes and talks."""
        return self.rank == 0


_ALONE = Ranks(0, 1, 0, 1, "")


def this_process(environment: Mapping[str, str] | None = None) -> Ranks:
    """The place of this process.

    A batch script of Slurm has the variables of its job too, but only srun starts steps: without its step the
    process is alone, however many tasks the job may start.

    Parameters
    ----------
    environment : mapping, optional
        By default that of the process.
    """
    given = os.environ if environment is None else environment
    if "RANK" in given and "WORLD_SIZE" in given:
        size = int(given["WORLD_SIZE"])
        return Ranks(
            rank=int(given["RANK"]),
            size=size,
            local_rank=int(given.get("LOCAL_RANK", given["RANK"])),
            local_size=int(given.get("LOCAL_WORLD_SIZE", size)),
            launcher="torchrun",
        )
    if "SLURM_PROCID" in given and ("SLURM_STEP_ID" in given or "SLURM_STEPID" in given):
        size = int(given.get("SLURM_STEP_NUM_TASKS") or given.get("SLURM_NTASKS") or 1)
        nodes = int(given.get("SLURM_STEP_NUM_NODES") or given.get("SLURM_NNODES") or 1)
        if size > 1:
            return Ranks(
                rank=int(given["SLURM_PROCID"]),
                size=size,
                local_rank=int(given.get("SLURM_LOCALID", "0")),
                local_size=max(1, size // nodes),
                launcher="srun",
            )
    return _ALONE
