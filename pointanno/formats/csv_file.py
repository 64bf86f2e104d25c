"""Tables in text: read row by row with a sentence for every way to be broken, written complete or not at all."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pointanno.errors import InputError
from pointanno.formats.json_file import replace_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; `where` names it in sentences."""

    where: str
    cells: Mapping[str, str]

    def text(self, column: str) -> str:
        """The cell, without spaces around it; empty if the table has no such column."""
        return self.cells.get(column, "").strip()

    def error(self, column: str, expected: str) -> InputError:
        """The sentence for a cell that does not hold what it should."""
        shown = self.text(column)[:60]
        got = f"got {shown!r}" if shown else "it is empty"
        return InputError(f"{self.where}, {column}: expected {expected}, but {got}; correct the cell")

    def required(self, column: str) -> str:
        """The cell, which must not be empty."""
        found = self.text(column)
        if not found:
            raise self.error(column, "a text")
        return found

    def number(self, column: str) -> float:
        """A finite number, with a point for the decimals."""
        try:
            value = float(self.text(column))
        except ValueError:
            raise self.error(column, "a number") from None
        if not math.isfinite(value):
            raise self.error(column, "a finite number")
        return value

    def integer(self, column: str, low: int, high: int = 2**31 - 1) -> int:
        """An integer from `low` to `high`."""
        expected = f"an integer from {low} to {high}"
        try:
            value = int(self.text(column))
        except ValueError:
            raise self.error(column, expected) from None
        if not low <= value <= high:
            raise self.error(column, expected)
        return value

    def optional(self, column: str, low: int = 0) -> int | None:
        """An integer from `low` on, None if the cell is empty."""
        return self.integer(column, low) if self.text(column) else None

    def choice(self, column: str, allowed: Collection[str]) -> str:
        """One of some words, whatever their capitals."""
        found = self.text(column).lower()
        if found not in allowed:
            raise self.error(column, "one of " + ", ".join(allowed))
        return found


def read_header(path: str | Path) -> list[str]:
    """Names of the columns of a table.

    Raises
    ------
    InputError
        If the file is missing, empty or no text.
    """
    with _opened(Path(path)) as file:
        return _columns(Path(path), file)[0]


def read_rows(path: str | Path, required: Sequence[str]) -> Iterator[Row]:
    """The rows of a table one by one; empty lines are passed over.

    Columns are told apart by commas, or by semicolons or tabs if the header has no comma.

    Parameters
    ----------
    path
        A text file in UTF-8.
    required
        Columns that it must have; others may stand beside them, in any order.

    Raises
    ------
    InputError
        At the first line that is broken, by its number.
    """
    path = Path(path)
    with _opened(path) as file:
        columns, delimiter = _columns(path, file)
        missing = [name for name in required if name not in columns]
        if missing:
            raise InputError(
                f"{path}, line 1: the columns {', '.join(missing)} are missing; expected at least {', '.join(required)}"
            )
        reader = csv.reader(file, delimiter=delimiter)
        try:
            for cells in reader:
                where = f"{path}, line {reader.line_num + 1}"
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) != len(columns):
                    raise InputError(
                        f"{where}: expected {len(columns)} cells as in the header, but got {len(cells)};"
                        " correct the line"
                    )
                yield Row(where, dict(zip(columns, cells, strict=True)))
        except csv.Error as error:
            raise InputError(
                f"{path}, line {reader.line_num + 1}: not a line of a table ({error}); correct it"
            ) from None
        except UnicodeDecodeError:
            raise _no_text(path) from None


def write_rows(path: str | Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table with commas and a header in UTF-8; None becomes an empty cell."""
    with replace_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        try:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
            text.flush()
        finally:
            text.detach()


def _opened(path: Path) -> io.TextIOWrapper:
    """The file for reading; a byte order mark is passed over."""
    if path.is_dir():
        raise InputError(f"{path}: expected a table, but this is a folder; name the file in it")
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the name") from None
    except OSError as error:
        raise InputError(f"{path}: the file may not be read ({error.strerror}); change its permissions") from None


def _columns(path: Path, file: io.TextIOWrapper) -> tuple[list[str], str]:
    """Names of the columns, and what stands between them."""
    try:
        line = file.readline()
    except UnicodeDecodeError:
        raise _no_text(path) from None
    if not line.strip():
        raise InputError(f"{path}: the file is empty or begins with an empty line; expected the names of the columns")
    delimiter = next((mark for mark in ",;\t" if mark in line), ",")
    try:
        columns = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    except csv.Error as error:
        raise InputError(f"{path}, line 1: not the header of a table ({error}); correct it") from None
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}, line 1: the column {twice!r} occurs more than once; rename or remove one")
    return columns, delimiter


def _no_text(path: Path) -> InputError:
    return InputError(f"{path}: not a text in UTF-8; save it as CSV in UTF-8")
