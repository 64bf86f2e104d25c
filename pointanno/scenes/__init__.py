"""Generated panoptic scenes with exact masks: data for tests, demos and comparisons, free of any licence."""

from pointanno.scenes.scene import CATEGORIES, Scene, generate_scene
from pointanno.scenes.write import write_scenes

__all__ = ["CATEGORIES", "Scene", "generate_scene", "write_scenes"]
