"""Training samples: pictures with their boxes, points and masks, carried together through every augmentation."""

from pointanno_models.data.augmentation import Augmentation, AugmentedSample
from pointanno_models.data.levels import Levels, measure_levels
from pointanno_models.data.pictures import NormalizedPicture, PictureCache
from pointanno_models.data.records import TrainingRecord, records_from_dataset

__all__ = [
    "Augmentation",
    "AugmentedSample",
    "Levels",
    "NormalizedPicture",
    "PictureCache",
    "TrainingRecord",
    "measure_levels",
    "records_from_dataset",
]
