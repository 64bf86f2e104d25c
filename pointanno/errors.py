"""The one exception that is meant for a person.

Whoever raises it words the whole sentence: what is wrong, where (file, record, field), what was
expected, what to do. The command line prints it and exits with 2, the window shows it as a
notification; neither words anything by itself.
"""

from __future__ import annotations


class InputError(ValueError):
    """Input or surroundings that the program cannot work with; its text is one sentence for the user."""
