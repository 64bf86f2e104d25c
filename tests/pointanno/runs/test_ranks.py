from __future__ import annotations

import pytest

from pointanno.runs.ranks import Ranks, this_process

TORCHRUN = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}
# what srun sets for the sixth of eight tasks on two machines
SRUN = {
    "SLURM_JOB_ID": "4711", "SLURM_STEP_ID": "0", "SLURM_PROCID": "5", "SLURM_LOCALID": "1", "SLURM_NODEID": "1",
    "SLURM_NTASKS": "8", "SLURM_STEP_NUM_TASKS": "8", "SLURM_STEP_NUM_NODES": "2", "SLURM_NNODES": "2",
}  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Ranks(0, 1, 0, 1, "")),
        (TORCHRUN, Ranks(5, 8, 1, 4, "torchrun")),
        ({"RANK": "1", "WORLD_SIZE": "2"}, Ranks(1, 2, 1, 2, "torchrun")),
        (SRUN, Ranks(5, 8, 1, 4, "srun")),
        # torchrun inside of a step of Slurm: the inner one counts
        (SRUN | TORCHRUN, Ranks(5, 8, 1, 4, "torchrun")),
        # a batch script has the job's numbers but is no step: it runs once, whatever the job may start
        ({"SLURM_JOB_ID": "4711", "SLURM_PROCID": "0", "SLURM_NTASKS": "8"}, Ranks(0, 1, 0, 1, "")),
        # a step of one task
        (SRUN | {"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1", "SLURM_NTASKS": "1"}, Ranks(0, 1, 0, 1, "")),
        # an older Slurm without the numbers of the step
        (
            {"SLURM_STEPID": "0", "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_NTASKS": "2"},
            Ranks(1, 2, 1, 2, "srun"),
        ),
    ],
)
def test_place_of_the_process(environment: dict[str, str], expected: Ranks) -> None:
    assert this_process(environment) == expected
    assert expected.is_first == (expected.rank == 0)
