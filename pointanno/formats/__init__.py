"""Files in and out: pure functions both ways, file access last."""

from pointanno.formats.registry import FORMATS, Format, find_format, read_dataset, read_onto

__all__ = ["FORMATS", "Format", "find_format", "read_dataset", "read_onto"]
