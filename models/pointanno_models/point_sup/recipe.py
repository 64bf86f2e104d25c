"""The settings of PointSup as frozen records; `recipes/*.toml` hold one complete set each."""

from __future__ import annotations

from dataclasses import dataclass

from pointanno_models.segmenters.mask_rcnn import MaskRCNNSettings


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Backbone and pyramid."""

    backbone: str
    """Residual network of torchvision: "resnet18", "resnet50", ..."""
    weights: str
    """"imagenet" (downloaded by torchvision) or "none" (from scratch)."""
    norm: str
    """"group", "batch" or "frozen_batch"."""
    last_stage: int
    """Deepest residual stage, 3 to 5."""
    frozen_stages: int
    """How many stages stay as loaded, counted from the stem."""
    fpn_channels: int


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Pictures, augmentation, points."""

    normalize: str
    """"imagenet" or "image" (each picture by its own mean and spread)."""
    crop: int
    short_sides: tuple[int, ...]
    long_side: int
    scale: tuple[float, float]
    flip: bool
    rotate: bool
    color: float
    subsample_points: bool
    """Draw half of the points of each instance in every step."""
    cache_megabytes: int
    """Memory for decoded pictures."""
    workers: int
    """Processes that prepare samples; 0 prepares them between the steps."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Optimiser and rhythm."""

    steps: int
    batch_size: int
    optimizer: str
    """"sgd" or "adamw"."""
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: str
    """"one_cycle" (cosine, 10 % warm-up) or "multi_step" (linear warm-up, then tenths at milestones)."""
    warmup_steps: int
    milestones: tuple[int, ...]
    """Steps of a training of `steps` steps; they move along when the length is changed."""
    gradient_clip: float
    """Largest norm of the gradient, 0 for no clipping."""
    ema_decay: float
    """Of the moving average of weights, 0 for none."""
    precision: str
    validate_every: int
    checkpoint_every: int


@dataclass(frozen=True, slots=True)
class TestSettings:
    """Prediction."""

    short_side: int
    """Pictures are resized to this short side, 0 for the zoom `scale`."""
    long_side: int
    scale: float
    """Zoom of the picture when `short_side` is 0."""
    mask_threshold: float


@dataclass(frozen=True, slots=True)
class PointSupRecipe:
    """All settings of one training."""

    network: NetworkSettings
    detector: MaskRCNNSettings
    data: DataSettings
    train: TrainSettings
    test: TestSettings
