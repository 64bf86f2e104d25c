"""Backbones: torchvision's residual networks with a feature pyramid, and where their weights come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Callable, Mapping
    from pathlib import Path

_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "group": lambda channels: nn.GroupNorm(8, channels),
    "batch": nn.BatchNorm2d,
    "frozen_batch": FrozenBatchNorm2d,
}


class PyramidBackbone(nn.Module):
    """A residual network and its feature pyramid.

    Parameters
    ----------
    name : str
        "resnet18", "resnet34", "resnet50" or "resnet101".
    norm : {"group", "batch", "frozen_batch"}
    last_stage : {3, 4, 5}
        The deepest residual stage that is built; strides 16 (stage 4, torchvision's layer3) or 32 (stage 5).
    channels : int
        Of every level of the pyramid.
    frozen_stages : int
        0 trains everything, 1 keeps the stem, 2 the stem and the first residual stage (res2), and so on.
    """

    def __init__(self, name: str, *, norm: str, last_stage: int, channels: int, frozen_stages: int) -> None:
        super().__init__()
        body = getattr(torchvision.models, name)(weights=None, norm_layer=_NORMS[norm])
        layers = {f"layer{stage - 1}": str(stage - 2) for stage in range(2, last_stage + 1)}
        widths = [_output_width(getattr(body, layer)) for layer in layers]
        self.body = IntermediateLayerGetter(body, return_layers=layers)
        self.fpn = FeaturePyramidNetwork(widths, channels, extra_blocks=LastLevelMaxPool())
        self.out_channels = channels
        self.level_names = (*layers.values(), "pool")
        self.strides = tuple(2**stage for stage in range(2, last_stage + 2))
        for stage, parts in enumerate([("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",)]):
            if stage < frozen_stages:
                for part in parts:
                    if part in self.body:
                        self.body[part].requires_grad_(False)

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """(B, 3, H, W) to the levels of the pyramid, finest first, each (B, channels, H / s, W / s)."""
        features: OrderedDict[str, Tensor] = self.fpn(self.body(images))
        return features


def _output_width(stage: nn.Sequential) -> int:
    """Channels that leave a residual stage."""
    convolutions = [module for module in stage[-1].children() if isinstance(module, nn.Conv2d)]
    return int(convolutions[-1].out_channels)


def load_backbone_weights(backbone: PyramidBackbone, name: str, *, weights: str, file: Path | None) -> None:
    """Fill the body with pretrained weights.

    Parameters
    ----------
    backbone : PyramidBackbone
    name : str
        Of the residual network, to find torchvision's weights.
    weights : {"imagenet", "none"}
        The recipe's wish.
    file : Path or None
        A local file of weights (.pth of torchvision's classifier, or .safetensors), which wins over `weights`.

    Raises
    ------
    InputError
        If the file is missing or does not fit, or the download is impossible; says which ways remain.
    """
    state: Mapping[str, Any]
    if file is not None:
        state = _read_weights(file)
    elif weights == "none":
        return
    else:
        enum = torchvision.models.get_model_weights(name)
        try:
            state = enum["DEFAULT"].get_state_dict(progress=False, check_hash=True)
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"the ImageNet weights of {name} could not be downloaded ({error}); pass a file fetched elsewhere by "
                "--weights FILE, continue from an earlier run by --init RUN, or train from scratch by "
                "--set network.weights=none"
            ) from error
    own = backbone.body.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    missing = [key for key in own if key not in fitting and not key.endswith("num_batches_tracked")]
    if missing:
        where = str(file) if file is not None else f"the ImageNet weights of {name}"
        raise InputError(
            f"{where}: {len(missing)} of {len(own)} tensors that {name} needs are missing or of another shape "
            f"(first: {missing[0]}); give the weights of torchvision's {name}, or set network.weights=none"
        )
    backbone.body.load_state_dict(fitting, strict=False)


def _read_weights(file: Path) -> dict[str, Any]:
    """Tensors of a .safetensors file or of a .pth file, which is not allowed to run code."""
    if not file.is_file():
        raise InputError(f"{file}: there is no such file; --weights takes a .pth or .safetensors file")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(file))
        state: Any = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{file}: not a file of weights ({reason}); give a .pth or .safetensors file") from error
    if not isinstance(state, dict):
        raise InputError(f"{file}: expected a dictionary of tensors, found {type(state).__name__}")
    for wrapper in ("model", "state_dict"):
        if isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    return dict(state)
