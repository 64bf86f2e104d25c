"""Training samples: pictures with their boxes, points and masks, carried together through every augmentation."""

from pointanno_models.data.augmentation import Augmentation, AugmentedSample
from pointanno_models.data.pictures import PictureCache, normalize_image
from pointanno_models.data.records import TrainingRecord, records_from_dataset

__all__ = [
    "Augmentation",
    "AugmentedSample",
    "PictureCache",
    "TrainingRecord",
    "normalize_image",
    "records_from_dataset",
]
