"""Files in and out: pure functions both ways, file access last."""

from pointanno.formats.registry import FORMATS, Format, find_format, read_dataset

__all__ = ["FORMATS", "Format", "find_format", "read_dataset"]
