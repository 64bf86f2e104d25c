"""Backbones: levels, frozen stages, channels of the pictures, and weights from files or from nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torchvision

from pointanno.errors import InputError
from pointanno_models.backbones import RESIDUAL, SWIN, PyramidBackbone, adapt_filters, load_backbone_weights


def _backbone(name: str = "resnet18", **changes: object) -> PyramidBackbone:
    settings: dict[str, object] = {"norm": "batch", "last_stage": 5, "channels": 16, "frozen_stages": 0}
    return PyramidBackbone(name, **{**settings, **changes})  # type: ignore[arg-type]


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
    with pytest.raises(InputError, match=r"broken\.pth: not a file of weights \(UnpicklingError\); give a"):
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


@pytest.mark.parametrize("name", [*RESIDUAL, *SWIN])
def test_levels_of_every_backbone(name: str) -> None:
    """Shapes alone, on torch's device without memory: the largest of them has 300 MB of weights."""
    with torch.device("meta"):
        backbone = _backbone(name, norm="frozen_batch")
        levels = backbone(torch.zeros(1, 3, 128, 64))
    assert [tuple(level.shape) for level in levels.values()] == [(1, 16, 128 // s, 64 // s) for s in (4, 8, 16, 32, 64)]


@pytest.mark.parametrize("size", [(96, 160), (64, 33), (61, 45)])
@pytest.mark.parametrize("last_stage", [4, 5])
def test_swin_takes_pictures_of_any_size(size: tuple[int, int], last_stage: int) -> None:
    torch.manual_seed(0)
    backbone = _backbone("swin_t", last_stage=last_stage)
    levels = backbone(torch.randn(2, 3, *size))
    for name, stride in zip(backbone.level_names[:-1], backbone.strides, strict=False):
        assert levels[name].shape == (2, 16, -(-size[0] // stride), -(-size[1] // stride))
    sum(level.sum() for level in levels.values()).backward()
    assert not [name for name, weight in backbone.named_parameters() if weight.grad is None]


def test_swin_stages_are_those_of_the_classifier(tmp_path: Path) -> None:
    """The last stage's output, with torchvision's last norm, is what the classifier pools."""
    torch.manual_seed(0)
    full = torchvision.models.swin_t(weights=None).eval()
    torch.save(full.state_dict(), tmp_path / "swin_t.pth")
    backbone = _backbone("swin_t").eval()
    load_backbone_weights(backbone, "swin_t", weights="none", file=tmp_path / "swin_t.pth")
    backbone.body.norms[-1].load_state_dict(full.norm.state_dict())
    images = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        expected = full.norm(full.features(images)).permute(0, 3, 1, 2)
        torch.testing.assert_close(backbone.body(images)["3"], expected)


@pytest.mark.parametrize(("frozen_stages", "trained_from"), [(0, 0), (1, 1), (2, 2), (4, 6)])
def test_frozen_stages_of_swin(frozen_stages: int, trained_from: int) -> None:
    """Stage 1 is the patches (part 0), stage 2 part 1, stage 4 ends with part 5 (merging and blocks)."""
    with torch.device("meta"):
        backbone = _backbone("swin_t", frozen_stages=frozen_stages)
    trained = {
        int(name.split(".")[1])
        for name, weight in backbone.body.named_parameters()
        if weight.requires_grad and name.startswith("features")
    }
    assert trained == set(range(trained_from, 8))
    norms = [norm.weight.requires_grad for norm in backbone.body.norms]
    assert norms == [stage > frozen_stages for stage in range(2, 6)]


def test_weights_of_a_deep_network_fit_a_shallow_pyramid(tmp_path: Path) -> None:
    torch.manual_seed(0)
    full = torchvision.models.resnext50_32x4d(weights=None)
    torch.save(full.state_dict(), tmp_path / "resnext.pth")
    backbone = _backbone("resnext50_32x4d", norm="frozen_batch", last_stage=3)
    load_backbone_weights(backbone, "resnext50_32x4d", weights="none", file=tmp_path / "resnext.pth")
    torch.testing.assert_close(backbone.body["layer2"][1].conv2.weight, full.layer2[1].conv2.weight)


@pytest.mark.parametrize(("name", "kernel"), [("resnet18", "conv1"), ("swin_t", "features.0.0")])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_pretrained_filters_for_other_channels(name: str, kernel: str, channels: int, tmp_path: Path) -> None:
    """A picture of equal channels gives what the network gave for that picture in three channels."""
    torch.manual_seed(0)
    full = getattr(torchvision.models, name)(weights=None)
    torch.save(full.state_dict(), tmp_path / "full.pth")
    backbone = _backbone(name, last_stage=3, in_channels=channels)
    load_backbone_weights(backbone, name, weights="none", file=tmp_path / "full.pth")
    first, original = backbone.body.get_submodule(kernel), full.get_submodule(kernel)
    assert first.weight.shape[1] == channels
    grey = torch.randn(1, 1, 64, 64)
    found = first(grey.expand(-1, channels, -1, -1))
    assert found.shape == original(grey.expand(-1, 3, -1, -1)).shape
    if channels != 2:  # two channels see red and green only, half as strong again
        torch.testing.assert_close(found, original(grey.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4)
    assert backbone(torch.randn(1, channels, 64, 64))["0"].shape == (1, 16, 16, 16)


def test_adapted_filters_in_numbers() -> None:
    """Filters 1, 2, 4: grey 7; two channels 1.5, 3; five channels 0.6, 1.2, 2.4, 0.6, 1.2."""
    weight = torch.tensor([1.0, 2.0, 4.0]).reshape(1, 3, 1, 1)
    assert adapt_filters(weight, 3) is weight
    assert adapt_filters(weight, 1).flatten().tolist() == [7.0]
    assert adapt_filters(weight, 2).flatten().tolist() == [1.5, 3.0]
    torch.testing.assert_close(adapt_filters(weight, 5).flatten(), torch.tensor([0.6, 1.2, 2.4, 0.6, 1.2]))


def test_own_weights_for_other_channels_are_taken_as_they_are(tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = _backbone(last_stage=3, in_channels=4)
    torch.save(before.body.state_dict(), tmp_path / "own.pth")
    after = _backbone(last_stage=3, in_channels=4)
    load_backbone_weights(after, "resnet18", weights="none", file=tmp_path / "own.pth")
    torch.testing.assert_close(after.body["conv1"].weight, before.body["conv1"].weight)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "resnet19"}, "network.backbone is 'resnet19', which is not known; use one of resnet18, resnet34"),
        ({"norm": "layer"}, "network.norm is 'layer', which is not known; use one of group, batch, frozen_batch"),
        ({"last_stage": 6}, "network.last_stage is 6, but must be 3, 4 or 5"),
    ],
)
def test_impossible_settings(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        _backbone(**change)  # type: ignore[arg-type]
