from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointanno.errors import InputError
from pointanno.formats.csv_file import read_header, read_rows, write_rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n1,2\n", "begins with an empty line"),
        (b"x,z\n1,2\n", "line 1: the columns y are missing; expected at least x, y"),
        (b"x,y,x\n", "line 1: the column 'x' occurs more than once"),
        (b"x,y\n1,2\n\n3\n", "line 4: expected 2 cells as in the header, but got 1"),
        (b"x,y\n\xff,2\n", "not a text in UTF-8"),
        (b"\xff\xfex,y\n", "not a text in UTF-8"),
    ],
)
def test_every_way_to_be_broken_has_its_sentence(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        list(read_rows(path, ("x", "y")))
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_header(tmp_path / "none.csv")
    with pytest.raises(InputError, match="this is a folder"):
        read_header(tmp_path)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_what_spreadsheets_save_is_read(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f'y {mark}x\r\n"a\nb"{mark} 2 \r\n{mark}\r\n7{mark}8\r\n'.encode())
    rows = list(read_rows(path, ("x", "y")))
    assert [(row.text("x"), row.text("y")) for row in rows] == [("2", "a\nb"), ("8", "7")]
    assert [row.where for row in rows] == [f"{path}, line 3", f"{path}, line 5"]  # where the row ends


def test_cells_that_do_not_fit_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n1.5,\nnan,Maybe\n")
    first, second = read_rows(path, ("x",))
    assert (first.number("x"), first.optional("y"), first.text("z")) == (1.5, None, "")
    with pytest.raises(InputError, match="line 2, x: expected an integer from 0 to 9, but got '1.5'; correct the cell"):
        first.integer("x", 0, 9)
    with pytest.raises(InputError, match="line 2, y: expected a text, but it is empty"):
        first.required("y")
    with pytest.raises(InputError, match="line 3, x: expected a finite number, but got 'nan'"):
        second.number("x")
    with pytest.raises(InputError, match="line 3, y: expected one of yes, no, but got 'Maybe'"):
        second.choice("y", ("yes", "no"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=5))
def test_any_text_comes_back(tmp_path: Path, cells: list[tuple[str, str]]) -> None:
    usable = [(x, y) for x, y in cells if (x + y).strip() and all(c.isprintable() or c in "\n\t" for c in x + y)]
    path = tmp_path / "a.csv"
    write_rows(path, ("x", "y"), usable)
    assert [(row.cells["x"], row.cells["y"]) for row in read_rows(path, ("x", "y"))] == usable
