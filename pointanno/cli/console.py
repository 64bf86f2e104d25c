"""How every command speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from cyclopts import Parameter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cyclopts import Token

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON object on standard output.")]
"""The option that every command has."""


def whole(kind: Any, tokens: Sequence[Token]) -> int:
    """A whole number as it was typed; cyclopts rounds 2.5 to 2 without a word.

    Raises
    ------
    ValueError
        If it is no whole number, or none that 64 bits hold.
    """
    text = tokens[0].value.strip()
    if not text.removeprefix("-").isdecimal() or len(text) > 19 or abs(int(text)) >= 2**63:
        raise ValueError(f"expected a whole number, received {text[:60]!r}")
    return int(text)


Whole = Annotated[int | None, Parameter(converter=whole)]
"""An option that is a whole number or left out."""


def emit(result: dict[str, Any], text: str, *, as_json: bool) -> None:
    """Print the result: one JSON object for machines, else `text` for a person."""
    if as_json:
        sys.stdout.write(orjson.dumps(result, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode())
        sys.stdout.write("\n")
    else:
        print(text)
    sys.stdout.flush()


def note(message: str) -> None:
    """Tell the person something that is not the result."""
    print(message, file=sys.stderr, flush=True)
