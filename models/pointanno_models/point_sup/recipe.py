"""The settings of PointSup as frozen records; `recipes/*.toml` hold one complete set each.

A setting that came later has a default: the value that repeats the runs from before it existed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pointanno_models.segmenters.implicit_head import ImplicitSettings
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
    channels: int = 3
    """Channels of the network's input; 0 takes as many as the pictures have when the run is created."""


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
    tile: int = 0
    """Longest side that is predicted at once; 0 leaves it to the engine."""
    tile_overlap: int = 0
    """Pixels that neighbouring tiles share; 0 for a quarter of a tile."""

    def __post_init__(self) -> None:
        if self.tile < 0 or self.tile in range(1, 16):
            raise ValueError(f"tile must be 0 or at least 16, but is {self.tile}")
        if self.tile and not 0 <= self.tile_overlap < self.tile:
            raise ValueError(f"tile_overlap must be smaller than tile ({self.tile}), but is {self.tile_overlap}")


@dataclass(frozen=True, slots=True)
class MaskHeadSettings:
    """Which mask branch."""

    kind: str = "conv"
    """"conv" (Mask R-CNN) or "implicit" (Implicit PointRend, table `implicit`)."""

    def __post_init__(self) -> None:
        if self.kind not in ("conv", "implicit"):
            raise ValueError(f"kind must be 'conv' or 'implicit', but is {self.kind!r}")


@dataclass(frozen=True, slots=True)
class SelfTrainingSettings:
    """Training a second network on the masks that the first one gives the annotated boxes."""

    enabled: bool = False
    first_stage: str = "train"
    """"train" (train, pseudo_label, retrain) or "pseudo_label" (begins with the network given by ``--init``)."""
    max_disagreement: float = 0.3
    """An instance is left out if its mask contradicts more than this share of its points."""
    answer_size: int = 3
    """Side, in pixels, of the square around each point that is set to the answer."""

    def __post_init__(self) -> None:
        if self.first_stage not in ("train", "pseudo_label"):
            raise ValueError(f"first_stage must be 'train' or 'pseudo_label', but is {self.first_stage!r}")
        if not 0 <= self.max_disagreement <= 1:
            raise ValueError(f"max_disagreement must be between 0 and 1, but is {self.max_disagreement}")
        if self.answer_size < 1 or self.answer_size % 2 == 0:
            raise ValueError(f"answer_size must be an odd number of pixels, but is {self.answer_size}")


@dataclass(frozen=True, slots=True)
class PointSupRecipe:
    """All settings of one training."""

    network: NetworkSettings
    detector: MaskRCNNSettings
    data: DataSettings
    train: TrainSettings
    test: TestSettings
    mask_head: MaskHeadSettings = field(default_factory=MaskHeadSettings)
    implicit: ImplicitSettings = field(default_factory=ImplicitSettings)
    self_training: SelfTrainingSettings = field(default_factory=SelfTrainingSettings)

    def __post_init__(self) -> None:
        # one level for each stage from the second on, and a pooled one
        levels, sizes = self.network.last_stage, self.detector.anchor_sizes
        if len(sizes) != levels:
            raise ValueError(
                f"detector.anchor_sizes must have {levels} sizes, one for each level of the pyramid that ends at "
                f"network.last_stage {levels}, but has {len(sizes)}"
            )
        if not self.detector.aspect_ratios:
            raise ValueError("detector.aspect_ratios must have at least one entry, but is empty")
