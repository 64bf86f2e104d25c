"""The ``pointanno`` command: one module per command, imported only when it is called."""

from pointanno.cli.main import app, main

__all__ = ["app", "main"]
