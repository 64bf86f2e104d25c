"""Backbones: levels, frozen stages, and weights from files or from nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision

from pointanno.errors import InputError
from pointanno_models.backbones import PyramidBackbone, load_backbone_weights


def _backbone(**changes: object) -> PyramidBackbone:
    settings: dict[str, object] = {"norm": "batch", "last_stage": 5, "channels": 16, "frozen_stages": 0}
    return PyramidBackbone("resnet18", **{**settings, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("last_stage", "strides"), [(4, (4, 8, 16, 32)), (5, (4, 8, 16, 32, 64))])
def test_levels_have_their_strides(last_stage: int, strides: tuple[int, ...]) -> None:
    backbone = _backbone(last_stage=last_stage)
    levels = backbone(torch.zeros(1, 3, 128, 64))
    assert tuple(levels) == backbone.level_names
    assert backbone.strides == strides
    assert [tuple(level.shape) for level in levels.values()] == [(1, 16, 128 // s, 64 // s) for s in strides]


def test_frozen_stages_are_the_stem_and_res2() -> None:
    backbone = _backbone(frozen_stages=2)
    frozen = {name.split(".")[0] for name, weight in backbone.body.named_parameters() if not weight.requires_grad}
    assert frozen == {"conv1", "bn1", "layer1"}


def test_local_file_of_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    full = torchvision.models.resnet18(weights=None)
    file = tmp_path / "resnet18.pth"
    torch.save(full.state_dict(), file)
    backbone = _backbone()
    load_backbone_weights(backbone, "resnet18", weights="imagenet", file=file)
    torch.testing.assert_close(backbone.body["layer3"][0].conv1.weight, full.layer3[0].conv1.weight)


def test_files_that_are_not_weights(tmp_path: Path) -> None:
    backbone = _backbone()
    with pytest.raises(InputError, match="there is no such file"):
        load_backbone_weights(backbone, "resnet18", weights="none", file=tmp_path / "absent.pth")
    broken = tmp_path / "broken.pth"
    broken.write_bytes(b"not weights")
    with pytest.raises(InputError, match="broken.pth: not a file of weights"):
        load_backbone_weights(backbone, "resnet18", weights="none", file=broken)
    other = tmp_path / "other.pth"
    torch.save({"conv1.weight": torch.zeros(1)}, other)
    with pytest.raises(InputError, match="tensors that resnet18 needs are missing or of another shape"):
        load_backbone_weights(backbone, "resnet18", weights="none", file=other)


def test_impossible_download_says_what_else_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(
        InputError, match=r"could not be downloaded \(no route to host\); pass a file .* --weights FILE"
    ):
        load_backbone_weights(_backbone(), "resnet18", weights="imagenet", file=None)
