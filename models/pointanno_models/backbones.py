"""Backbones by name: torchvision's networks with a feature pyramid, and where their weights come from."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.ops import FeaturePyramidNetwork, FrozenBatchNorm2d
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

from pointanno.errors import InputError

if TYPE_CHECKING:
    from collections import OrderedDict
    from collections.abc import Callable, Mapping
    from pathlib import Path

RESIDUAL = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnext50_32x4d",
    "resnext101_32x8d",
    "resnext101_64x4d",
)
"""Residual networks; their norms are chosen by the recipe."""

SWIN = ("swin_t", "swin_s", "swin_b")
"""Transformers; their norms are layer norms."""

_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "group": lambda channels: nn.GroupNorm(8, channels),
    "batch": nn.BatchNorm2d,
    "frozen_batch": FrozenBatchNorm2d,
}

_COLORS = 3
"""Channels of the pictures that pretrained weights know."""


class Backbone(nn.Module):
    """A classifier's body; `features` gives what its stages say.

    Parameters
    ----------
    name : str
        One of `RESIDUAL` or `SWIN`.
    norm : {"group", "batch", "frozen_batch"}
        Of a residual network; the others keep their own.
    last_stage : {3, 4, 5}
        The deepest stage that is built, in the count of residual networks, where the stem is stage 1; strides 8,
        16 (torchvision's layer3) or 32.
    frozen_stages : int
        0 trains everything, 1 keeps the stem, 2 the stem and the first stage after it (res2), and so on.
    in_channels : int
        Of the pictures.

    Raises
    ------
    InputError
        For a name or norm that is not known.
    """

    def __init__(self, name: str, *, norm: str, last_stage: int, frozen_stages: int, in_channels: int = 3) -> None:
        super().__init__()
        if name not in (*RESIDUAL, *SWIN):
            raise InputError(
                f"network.backbone is {name!r}, which is not known; use one of {', '.join((*RESIDUAL, *SWIN))}"
            )
        if norm not in _NORMS:
            raise InputError(f"network.norm is {norm!r}, which is not known; use one of {', '.join(_NORMS)}")
        if not 3 <= last_stage <= 5:
            raise InputError(f"network.last_stage is {last_stage}, but must be 3, 4 or 5; use 5 for the whole network")
        levels = tuple(str(stage - 2) for stage in range(2, last_stage + 1))
        self.body: Any
        if name in SWIN:
            self.body = body = SwinBody(name, levels)
            self.widths, stages, self.first_layer = body.widths, body.stages(), "features.0.0"
        else:
            residual = getattr(torchvision.models, name)(weights=None, norm_layer=_NORMS[norm])
            layers = {f"layer{int(level) + 1}": level for level in levels}
            self.widths = [_output_width(getattr(residual, layer)) for layer in layers]
            self.body = IntermediateLayerGetter(residual, return_layers=layers)
            stages = [[residual.conv1, residual.bn1], *([getattr(residual, layer)] for layer in layers)]
            self.first_layer = "conv1"
        if in_channels != _COLORS:
            old = self.body.get_submodule(self.first_layer)
            self.body.set_submodule(self.first_layer, _with_inputs(old, in_channels))
            stages[0][0] = self.body.get_submodule(self.first_layer)
        self.in_channels = in_channels
        self.level_names = levels
        for stage in stages[:frozen_stages]:
            for part in stage:
                part.requires_grad_(False)

    def features(self, images: Tensor) -> list[Tensor]:
        """(B, C, H, W) to the outputs of the stages from the second on, each (B, width, H / s, W / s)."""
        found: Mapping[str, Tensor] = self.body(images)
        return [found[name] for name in self.level_names if name in found]


class PyramidBackbone(Backbone):
    """A classifier's body and its feature pyramid.

    Parameters
    ----------
    name, norm, last_stage, frozen_stages, in_channels
        As of `Backbone`.
    channels : int
        Of every level of the pyramid.
    """

    def __init__(
        self, name: str, *, norm: str, last_stage: int, channels: int, frozen_stages: int, in_channels: int = 3
    ) -> None:
        super().__init__(name, norm=norm, last_stage=last_stage, frozen_stages=frozen_stages, in_channels=in_channels)
        self.fpn = FeaturePyramidNetwork(self.widths, channels, extra_blocks=LastLevelMaxPool())
        self.out_channels = channels
        self.level_names = (*self.level_names, "pool")
        self.strides = tuple(2**stage for stage in range(2, last_stage + 2))

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """(B, C, H, W) to the levels of the pyramid, finest first, each (B, channels, H / s, W / s)."""
        features: OrderedDict[str, Tensor] = self.fpn(self.body(images))
        return features


class SwinBody(nn.Module):
    """The stages of a Swin transformer, each with a norm for what it gives to the pyramid.

    Parameters
    ----------
    name : str
        One of `SWIN`.
    levels : tuple of str
        Names of the stages' outputs, one to four.

    Notes
    -----
    Liu et al., *Swin Transformer* (ICCV 2021), arXiv:2103.14030. The norms of the outputs are those of the
    authors' detectors; classifiers have none, so they start fresh. Differs: nothing.
    """

    def __init__(self, name: str, levels: tuple[str, ...]) -> None:
        super().__init__()
        # patches, stage, merging, stage, merging, ...
        self.features = getattr(torchvision.models, name)(weights=None).features[: 2 * len(levels)]
        self.levels = levels
        first = int(self.features[0][0].out_channels)
        self.widths = [first * 2**stage for stage in range(len(levels))]
        self.norms = nn.ModuleList(nn.LayerNorm(width) for width in self.widths)

    def stages(self) -> list[list[nn.Module]]:
        """Parts that are frozen together, from the patches on."""
        first, *rest = self.features
        return [
            [first],
            [rest[0], self.norms[0]],
            *([rest[2 * i - 1], rest[2 * i], self.norms[i]] for i in range(1, len(self.levels))),
        ]

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """(B, C, H, W) to the stages' outputs, (B, width, H / s, W / s) with sides rounded up."""
        patch = self.features[0][0].stride[0]
        missing = [-side % patch for side in images.shape[-2:]]
        # windows that stick out are padded by torchvision, patches would be dropped
        x = functional.pad(images, (0, missing[1], 0, missing[0]))
        outputs = {}
        for index, part in enumerate(self.features):
            x = part(x)
            if index % 2:
                stage = index // 2
                outputs[self.levels[stage]] = self.norms[stage](x).permute(0, 3, 1, 2)
        return outputs


def _output_width(stage: nn.Sequential) -> int:
    """Channels that leave a residual stage."""
    convolutions = [module for module in stage[-1].children() if isinstance(module, nn.Conv2d)]
    return int(convolutions[-1].out_channels)


def _with_inputs(layer: Any, channels: int) -> nn.Conv2d:
    """A convolution of the same kind with fresh weights for another number of input channels."""
    has_bias = layer.bias is not None
    return nn.Conv2d(channels, layer.out_channels, layer.kernel_size, layer.stride, layer.padding, bias=has_bias)


def adapt_filters(weight: Tensor, channels: int) -> Tensor:
    """Filters for red, green and blue as filters for any number of channels.

    Parameters
    ----------
    weight : (O, 3, h, w) float
    channels : int

    Returns
    -------
    (O, channels, h, w) float
        One channel: the sum, so that a grey picture gives what it gave as three equal channels. Otherwise the
        filters in turn, times 3 / channels, so that equal channels give the same again (for multiples of 3).
    """
    if channels == _COLORS:
        return weight
    if channels == 1:
        return weight.sum(dim=1, keepdim=True)
    return weight[:, torch.arange(channels) % _COLORS] * (_COLORS / channels)


def load_backbone_weights(backbone: Backbone, name: str, *, weights: str, file: Path | None) -> None:
    """Fill the body with pretrained weights; those of the first layer are adapted to the pictures' channels.

    Parameters
    ----------
    backbone : Backbone
    name : str
        Of the network, to find torchvision's weights.
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
    first = f"{backbone.first_layer}.weight"
    if first in state and state[first].ndim == 4 and state[first].shape[1] == _COLORS:
        state = {**state, first: adapt_filters(state[first], backbone.in_channels)}
    own = backbone.body.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    # classifiers neither count batches under frozen norms nor have norms at the outputs of their stages
    fresh = [key for key in own if key.endswith("num_batches_tracked") or key.startswith("norms.")]
    missing = [key for key in own if key not in fitting and key not in fresh]
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
        # torch explains its loader at length where the file is something else
        is_other = isinstance(error, pickle.UnpicklingError) or not str(error)
        reason = type(error).__name__ if is_other else str(error).splitlines()[0]
        raise InputError(f"{file}: not a file of weights ({reason}); give a .pth or .safetensors file") from error
    if not isinstance(state, dict):
        raise InputError(f"{file}: expected a dictionary of tensors, found {type(state).__name__}")
    for wrapper in ("model", "state_dict"):
        if isinstance(state.get(wrapper), dict):
            state = state[wrapper]
    return dict(state)
