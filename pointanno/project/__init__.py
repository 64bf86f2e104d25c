"""A project on disk: nothing that was acknowledged is ever lost."""

from pointanno.project.project import Project
from pointanno.project.records import BoxAnnotation, Click, Event, ImageAnnotations, ImportReport, ProjectImage

__all__ = ["BoxAnnotation", "Click", "Event", "ImageAnnotations", "ImportReport", "Project", "ProjectImage"]
