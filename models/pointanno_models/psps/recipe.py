"""The settings of PSPS as frozen records; `recipes/*.toml` hold one complete set each."""

from __future__ import annotations

from dataclasses import dataclass

from pointanno_models.psps.label_generator import GeneratorSettings
from pointanno_models.psps.matching import MatchingSettings


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Sizes of the parts."""

    backbone: str
    """Network of torchvision: "resnet18", "resnet50", ..."""
    weights: str
    """"imagenet" (downloaded by torchvision) or "none" (from scratch)."""
    norm: str
    """"group", "batch" or "frozen_batch"."""
    first_stage: int
    """Finest residual stage that is used, 2 to 4: strides 4, 8, 16. Masks have its resolution."""
    last_stage: int
    """Deepest residual stage, 3 to 5."""
    frozen_stages: int
    """How many stages stay as loaded, counted from the stem."""
    extra_level: bool
    """One more level of half the coarsest resolution, which masks do not see."""
    channels: int
    """Of encoder and decoders."""
    heads: int
    points: int
    """Places that deformable attention samples, for each head and level."""
    ffn_channels: int
    dropout: float
    encoder_layers: int
    location_layers: int
    queries: int
    """Of things: at most so many are found in a picture."""
    thing_layers: int
    stuff_layers: int
    semantic_layers: int
    embedding_channels: int
    mask_activation: str
    """"leaky" (while training), "relu" (as published) or "sigmoid", of the last activation of a mask."""

    def __post_init__(self) -> None:
        if self.first_stage > self.last_stage:
            raise ValueError(
                f"first_stage must not be deeper than last_stage ({self.last_stage}), but is {self.first_stage}"
            )
        if self.channels % self.heads or self.channels % 4:
            raise ValueError(f"channels must be a multiple of 4 and of heads ({self.heads}), but is {self.channels}")


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Pictures, augmentation, which pictures are learnt from."""

    normalize: str
    """"imagenet" or "image" (each picture by its own mean and spread)."""
    short_sides: tuple[int, ...]
    """Short side to resize pictures to, one drawn a time; empty leaves pictures as they are, up to `long_side`."""
    long_side: int
    """The long side of a resized picture is not more than this, 0 for no limit."""
    flip: bool
    all_pictures: bool
    """Learn from pictures that nobody declared complete, too: what is not clicked there counts as absent."""
    box_points: bool
    """Points answered *object* in boxes count as clicks."""
    cache_megabytes: int
    """Memory for decoded pictures."""
    workers: int
    """Processes that prepare samples; 0 prepares them between the steps."""
    channels: int
    """Channels of the network's input; 0 takes as many as the pictures have when the run is created."""


@dataclass(frozen=True, slots=True)
class LossSettings:
    """Weights of the losses; those of classes and boxes of things are in `matching`."""

    presence: float
    """Of which classes are clicked in the picture, in the semantic branch."""
    color: float
    """Of neighbours of one colour."""
    color_warmup: bool
    """Let that weight grow with the square of the panoptic losses' factor; published: in full from the
    first step. A network without pretrained weights knows no classes yet, and the shortest way to agreement is one
    class everywhere."""
    contrastive: float
    """Of the embedding."""
    dice: float
    """Of masks."""
    stuff_presence: float
    """Of which stuff classes are in the picture, in the stuff stack."""
    ignored_is_negative: bool
    """Pixels without a label are outside of every stuff mask, as published; else they count nothing."""
    semantic_with_masks: bool
    """Train the semantic branch under mask supervision, too (on all pixels)."""
    warmup_steps: int
    """Steps until the panoptic losses count in full; 0 for one pass over the pictures, at least 100."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Optimiser (AdamW) and rhythm."""

    steps: int
    batch_size: int
    learning_rate: float
    backbone_factor: float
    """Learning rate of the backbone as a share of the others'."""
    slow_factor: float
    """The same of sampling offsets and reference points."""
    weight_decay: float
    schedule: str
    """"multi_step" (tenths at milestones) or "cosine"; the learning rate is not warmed up."""
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
    """Prediction and merging."""

    short_side: int
    """Pictures are resized to this short side, 0 leaves them as they are, up to `long_side`."""
    long_side: int
    candidates: int
    """Best pairs of query and class that get a mask."""
    mask_threshold: float
    least_score: float
    """Segments below are left out."""
    thing_overlap: float
    """A thing is left out if more than this share of it is taken already."""
    stuff_overlap: float
    tile: int
    """Longest side that is predicted at once; 0 leaves it to the engine."""
    tile_overlap: int
    """Pixels that neighbouring tiles share; 0 for a quarter of a tile."""

    def __post_init__(self) -> None:
        if self.tile < 0 or self.tile in range(1, 16):
            raise ValueError(f"tile must be 0 or at least 16, but is {self.tile}")
        if self.tile and not 0 <= self.tile_overlap < self.tile:
            raise ValueError(f"tile_overlap must be smaller than tile ({self.tile}), but is {self.tile_overlap}")


@dataclass(frozen=True, slots=True)
class PSPSRecipe:
    """All settings of one training."""

    network: NetworkSettings
    data: DataSettings
    labels: GeneratorSettings
    matching: MatchingSettings
    losses: LossSettings
    train: TrainSettings
    test: TestSettings
