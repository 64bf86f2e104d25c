"""How good a prediction is: PQ, AP and mIoU."""

from pointanno.evaluation.average_precision import average_precision
from pointanno.evaluation.files import evaluate_files
from pointanno.evaluation.instance_quality import InstanceQuality, truth_to_panoptic
from pointanno.evaluation.panoptic import PanopticQuality, panoptic_quality
from pointanno.evaluation.semantic import mean_iou

__all__ = [
    "InstanceQuality",
    "PanopticQuality",
    "average_precision",
    "evaluate_files",
    "mean_iou",
    "panoptic_quality",
    "truth_to_panoptic",
]
