"""Point annotations as data: projects, protocols, timing, formats, evaluation, runs. Needs neither torch nor Qt."""

__version__ = "0.1.0"
