"""One thread: trainings may run on the same machine, and sums in a fixed order are repeatable."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
