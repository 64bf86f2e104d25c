"""Implicit PointRend: the mask of an instance is a small network of its own, asked at points.

A parameter head looks at the instance and makes all weights of that network; the network maps the place of a
point and the features found there to a logit. The mask branch of `mask_rcnn.py` can be made of this.

Cheng, Parkhi, Kirillov, *Pointly-Supervised Instance Segmentation* (CVPR 2022), arXiv:2104.06404. Shapes:
B pictures, R instances of a batch, P points, C channels, K categories, D weights of one instance's network.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pointanno_models.layers.point_features import mask_sample_in_boxes, point_sample_in_boxes, regular_grid
from pointanno_models.layers.shared_batch import rand_by_picture
from pointanno_models.layers.subdivision import subdivide

_NUMBERS_AT_ONCE = 2**24
"""Numbers that a prediction holds for one chunk of instances: 64 MiB for each tensor of such a size."""


@dataclass(frozen=True, slots=True)
class ImplicitSettings:
    """Sizes of the parameter head and of the networks that it makes; the defaults suit two cores."""

    pool_size: int = 14
    """Side of the grid of features that the parameter head sees; even."""
    head_channels: int = 64
    """Of its convolution."""
    head_fc_channels: int = 128
    """Of its two fully connected layers."""
    frequencies: int = 16
    """Random frequencies of the positional encoding, which has twice as many values."""
    hidden_channels: int = 32
    """Width of each instance's network."""
    hidden_layers: int = 2
    """Its layers before the output."""
    class_agnostic: bool = True
    """One output for all classes instead of one for each."""
    template_init: bool = True
    """Every instance's network starts as one He-initialised network and leaves it slowly, instead of starting near
    zero. Needed by Adam from scratch; false is the published head."""
    l2_weight: float = 1e-5
    """Of the mean square of the made weights."""
    train_points: int = 196
    """Random points for each proposal where masks supervise."""
    subdivision_points: int = 196
    """Points that are computed at a time in prediction; a square number, its root is the first resolution."""
    subdivision_steps: int = 2
    """Doublings of the resolution in prediction."""

    def __post_init__(self) -> None:
        if self.pool_size < 2 or self.pool_size % 2:
            raise ValueError(f"pool_size must be even, but is {self.pool_size}")
        if self.subdivision_points < 1 or math.isqrt(self.subdivision_points) ** 2 != self.subdivision_points:
            raise ValueError(f"subdivision_points must be a square number, but is {self.subdivision_points}")
        if self.hidden_layers < 1:
            raise ValueError(f"hidden_layers must be at least 1, but is {self.hidden_layers}")


class PositionalEncoding(nn.Module):
    """Sines and cosines of random projections of a place.

    Parameters
    ----------
    frequencies : int
        F. The projections are drawn once and are part of the checkpoint.

    Notes
    -----
    Tancik et al., *Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains*
    (NeurIPS 2020), arXiv:2006.10739.
    """

    projection: Tensor

    def __init__(self, frequencies: int) -> None:
        super().__init__()
        self.register_buffer("projection", torch.randn(2, frequencies))

    def forward(self, point_coords: Tensor) -> Tensor:
        """(R, P, 2) fractions of the box to (R, 2 F, P): all sines, then all cosines; zeros and ones at the centre."""
        # phases of several turns: in half precision their sines would be noise
        with torch.autocast(point_coords.device.type, enabled=False):
            turns = 2 * math.pi * (2 * point_coords.float() - 1) @ self.projection.float()
        return torch.cat([turns.sin(), turns.cos()], dim=-1).transpose(1, 2)


class ParameterHead(nn.Module):
    """From the features of a box to the weights of its network.

    Parameters
    ----------
    width : int
        Channels of the features.
    outputs : int
        D.
    settings : ImplicitSettings

    Notes
    -----
    Every made weight is a sum over the channels of the last hidden layer. One step of Adam moves all of its
    coefficients by the learning rate, and the weight by that times the sum of these channels, about a hundred
    times as far as a weight of an ordinary layer: networks that start from a template are thrown off it within a
    few steps and never learn. With `template_init` the last hidden layer is therefore divided by its width.
    """

    def __init__(self, width: int, outputs: int, settings: ImplicitSettings) -> None:
        super().__init__()
        channels, fc = settings.head_channels, settings.head_fc_channels
        self.scale = 1 / fc if settings.template_init else 1.0
        self.reduce = nn.Conv2d(width, channels, 1) if width > channels else None
        self.conv = nn.Conv2d(min(width, channels), channels, 2, stride=2)
        self.fc1 = nn.Linear(channels * (settings.pool_size // 2) ** 2, fc)
        self.fc2 = nn.Linear(fc, fc)
        self.weights = nn.Linear(fc, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, a=1)  # what the original calls Xavier
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.weights.weight, std=0.001)

    def forward(self, features: Tensor) -> Tensor:
        """(R, C, S, S) to (R, D)."""
        if self.reduce is not None:
            features = functional.relu(self.reduce(features))
        features = functional.relu(self.conv(features)).flatten(1)
        hidden = functional.relu(self.fc2(functional.relu(self.fc1(features))))
        made: Tensor = self.weights(hidden * self.scale)
        return made


class PointNetworks:
    """The networks of all instances at once: where in D numbers each layer lies, and how a batch of them is run.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden channels, ..., outputs. The D numbers are all matrices in the order of the layers, each
        (out, in) row by row, then all biases.
    """

    def __init__(self, sizes: tuple[int, ...]) -> None:
        self.layers = tuple(itertools.pairwise(sizes))
        self.num_weights = sum(before * after for before, after in self.layers)
        self.num_parameters = self.num_weights + sum(after for _, after in self.layers)

    def __call__(self, parameters: Tensor, inputs: Tensor, channel: Tensor) -> Tensor:
        """Logits of one output channel of each instance's network.

        Parameters
        ----------
        parameters : (R, D) float
        inputs : (R, I, P) float
        channel : (R,) int64
            The other outputs are not computed: neither losses nor masks use them.

        Returns
        -------
        (R, P) float
        """
        layers = list(self._unpack(parameters))
        for weight, bias in layers[:-1]:
            inputs = functional.relu(torch.baddbmm(bias[:, :, None], weight, inputs))
        weight, bias = layers[-1]
        rows = torch.arange(len(channel), device=channel.device)
        return torch.baddbmm(bias[rows, channel][:, None, None], weight[rows, channel][:, None], inputs)[:, 0]

    def _unpack(self, parameters: Tensor) -> list[tuple[Tensor, Tensor]]:
        """A matrix (R, out, in) and a bias (R, out) for each layer."""
        instances = len(parameters)
        matrices = parameters[:, : self.num_weights].split([i * o for i, o in self.layers], dim=1)
        biases = parameters[:, self.num_weights :].split([o for _, o in self.layers], dim=1)
        return [
            (matrix.reshape(instances, after, before), bias)
            for (before, after), matrix, bias in zip(self.layers, matrices, biases, strict=True)
        ]

    def template(self) -> Tensor:
        """(D,) numbers of one network: hidden matrices from He's distribution, the output layer and biases zero."""
        template = torch.zeros(self.num_parameters)
        start = 0
        for before, after in self.layers[:-1]:
            nn.init.kaiming_normal_(template[start : start + before * after].view(after, before), nonlinearity="relu")
            start += before * after
        return template


class ImplicitMaskHead(nn.Module):
    """Parameter head, positional encoding and the networks of the instances.

    Parameters
    ----------
    width : int
        Channels of the features.
    num_categories : int
        K, things only.
    settings : ImplicitSettings
    stride : int
        Pixels of the input for one cell of the features.

    Notes
    -----
    Original: detectron2 `projects/PointRend/point_rend/mask_head.py`, `ImplicitPointRendMaskHead`, and
    `point_head.py`, `ImplicitPointHead`. Differs: only the channel of the instance's class is computed; with
    `template_init` the networks do not start near zero, which in short trainings is too slow.
    """

    def __init__(self, width: int, num_categories: int, settings: ImplicitSettings, stride: int) -> None:
        super().__init__()
        self.settings = settings
        self.stride = stride
        outputs = 1 if settings.class_agnostic else num_categories
        hidden = (settings.hidden_channels,) * settings.hidden_layers
        self.networks = PointNetworks((2 * settings.frequencies + width, *hidden, outputs))
        self.encoding = PositionalEncoding(settings.frequencies)
        self.parameter_head = ParameterHead(width, self.networks.num_parameters, settings)
        if settings.template_init:
            with torch.no_grad():
                self.parameter_head.weights.bias.copy_(self.networks.template())

    def make_parameters(self, features: Tensor, boxes: list[Tensor]) -> Tensor:
        """The networks of boxes: (B, C, H, W) and B of (R_b, 4) XYXY to (R, D)."""
        side = self.settings.pool_size
        grid = regular_grid(side, features).expand(sum(len(box) for box in boxes), -1, -1)
        cells = point_sample_in_boxes(features, boxes, grid, self.stride)
        made: Tensor = self.parameter_head(cells.reshape(len(cells), cells.shape[1], side, side))
        return made

    def point_logits(
        self, parameters: Tensor, features: Tensor, boxes: list[Tensor], labels: Tensor, point_coords: Tensor
    ) -> Tensor:
        """Logits of the instances' classes at points.

        Parameters
        ----------
        parameters : (R, D) float
        features : (B, C, H, W) float
        boxes : B of (R_b, 4) float, XYXY
        labels : (R,) int64
            1..K.
        point_coords : (R, P, 2) float
            Relative to the boxes.

        Returns
        -------
        (R, P) float
        """
        sampled = point_sample_in_boxes(features, boxes, point_coords, self.stride)
        inputs = torch.cat([self.encoding(point_coords), sampled], dim=1)
        channel = torch.zeros_like(labels) if self.settings.class_agnostic else labels - 1
        return self.networks(parameters, inputs, channel)

    def mask_logits(self, features: Tensor, boxes: list[Tensor], labels: list[Tensor]) -> Tensor:
        """Masks by adaptive subdivision: (R, M, M) logits of the instances' classes.

        Instances are taken in chunks, so that memory does not grow with their number.
        """
        settings = self.settings
        start = math.isqrt(settings.subdivision_points)
        side = start * 2**settings.subdivision_steps
        widest = max(before + after for before, after in self.networks.layers)
        held = settings.subdivision_points * widest + side**2 + self.networks.num_parameters
        chunk = max(1, _NUMBERS_AT_ONCE // held)
        masks = [features.new_zeros((0, side, side))]
        for image, (image_boxes, image_labels) in enumerate(zip(boxes, labels, strict=True)):
            level = features[image : image + 1]
            for some, kinds in zip(image_boxes.split(chunk), image_labels.split(chunk), strict=True):
                if len(some):
                    masks.append(self._subdivide(level, some, kinds, start))
        return torch.cat(masks)

    def _subdivide(self, level: Tensor, boxes: Tensor, labels: Tensor, start: int) -> Tensor:
        parameters = self.make_parameters(level, [boxes])
        return subdivide(
            lambda coords: self.point_logits(parameters, level, [boxes], labels, coords),
            regular_grid(start, level).expand(len(boxes), -1, -1),
            self.settings.subdivision_steps,
        )


def loss_l2(parameters: Tensor, weight: float) -> Tensor:
    """Weighted mean square of the made parameters of all instances; zero, and connected, if there are none.

    Notes
    -----
    Original: detectron2 `projects/PointRend/point_rend/mask_head.py`, `loss_l2`. Differs: nothing.
    """
    if len(parameters) == 0:
        return parameters.sum() * 0
    return weight * parameters.float().square().mean()


def random_mask_points(
    proposals: list[Tensor], targets: list[dict[str, Tensor]], matched: list[Tensor], *, points: int
) -> tuple[Tensor, Tensor, Tensor]:
    """What masks teach: soft answers at random places in the proposals.

    Parameters
    ----------
    proposals : B of (R_b, 4) float, XYXY
    targets : B of dict
        With `masks` (N, H, W) uint8.
    matched : B of (R_b,) int64
    points : int
        P, drawn uniformly for each proposal from torch's global generator.

    Returns
    -------
    (R, P, 2) float, (R, P) float in [0, 1], (R, P) float
        Places relative to the proposals, mask values there, weights (all 1).
    """
    coords = rand_by_picture([len(boxes) for boxes in proposals], (points, 2), proposals[0].device)
    answers = torch.cat(
        [
            mask_sample_in_boxes(target["masks"], index, boxes, places)
            for target, index, boxes, places in zip(targets, matched, proposals, coords, strict=True)
        ]
    )
    return torch.cat(coords), answers, torch.ones_like(answers)
