from __future__ import annotations

import pytest
import torch

from pointanno.errors import InputError
from pointanno_models.engine import devices


def test_auto_prefers_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert devices.choose_device("auto") == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert devices.choose_device("auto") == "cuda"
    assert devices.choose_device("cuda:1") == "cuda:1"
    with pytest.raises(InputError, match="torch sees 2 CUDA devices"):
        devices.choose_device("cuda:2")


def test_absent_devices_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert devices.choose_device("auto") == devices.choose_device("cpu") == "cpu"
    with pytest.raises(InputError, match="--device cuda: torch sees 0"):
        devices.choose_device("cuda")
    with pytest.raises(InputError, match="--device mps"):
        devices.choose_device("mps")


def test_an_operation_without_repeatable_form_is_named() -> None:
    told = RuntimeError(
        "grid_sampler_2d_backward_cuda does not have a deterministic implementation, but you set "
        "'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation"
    )
    assert devices.unrepeatable_operation(told) == "grid_sampler_2d_backward_cuda"
    assert devices.unrepeatable_operation(RuntimeError("shapes do not fit")) is None


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", set_to.append)
    monkeypatch.setattr(devices, "available_cores", lambda: 6)
    monkeypatch.delenv("OMP_NUM_THREADS")
    devices.set_threads(3)
    devices.set_threads(None)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    devices.set_threads(None)
    assert set_to == [3, 6]
