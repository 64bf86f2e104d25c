"""Which annotations count: the main ones, a second opinion, known answers, and what a review took out."""

from __future__ import annotations

MAIN, SECOND, GOLD, REMOVED = 0, 1, 2, -1
"""Exported; of a blind second pass; known answers, hidden from annotators; taken out by a review."""

LAYERS = {"main": MAIN, "second": SECOND, "gold": GOLD}
"""Layers that a caller may name."""

UNLABELLED, IN_PROGRESS, COMPLETE, SKIPPED = range(4)
"""States of an image, as numbers of the column `images.state`."""

STATES = {"unlabelled": UNLABELLED, "in_progress": IN_PROGRESS, "complete": COMPLETE, "skipped": SKIPPED}
"""States by name."""

NOT_CHOSEN, CHOSEN, SECOND_DONE = range(3)
"""Values of `images.second`: the image is annotated once, shall be annotated twice, was annotated twice."""
