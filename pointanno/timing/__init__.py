"""Clocks, and what is computed from the times of events; README.md defines every measure."""

from pointanno.timing.clock import SessionAnchor, now_ns

__all__ = ["SessionAnchor", "now_ns"]
