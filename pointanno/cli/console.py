"""How every command speaks: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import orjson
from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON object on standard output.")]
"""The option that every command has."""


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
