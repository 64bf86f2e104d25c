"""Classes are read from texts and COCO files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.project.class_file import read_class_file


def test_a_text_names_one_class_a_line(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("\ufeffcar\r\n\r\nroad\tstuff\nwood, STUFF\ndog, small\n  traffic   light , thing\ncar\n", "utf-8")
    found = [(one.name, one.isthing) for one in read_class_file(path)]
    assert found == [
        ("car", True), ("road", False), ("wood", False), ("dog, small", True), ("traffic light", True)
    ]  # fmt: skip


def test_a_coco_file_names_categories(tmp_path: Path) -> None:
    path = tmp_path / "panoptic.json"
    path.write_text(
        '{"categories": [{"id": 7, "name": "car", "isthing": 1, "color": [1, 2, 3]},'
        ' {"id": 9, "name": "sky", "isthing": 0, "color": [1, 2, 999]}, {"name": "plant"}]}'
    )
    found = read_class_file(path)
    assert [(one.id, one.name, one.isthing, one.color) for one in found] == [
        (7, "car", True, (1, 2, 3)), (9, "sky", False, None), (3, "plant", True, None)
    ]  # fmt: skip
    path.write_text('["car", "road"]')
    assert [one.name for one in read_class_file(path)] == ["car", "road"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.txt", b"", "a.txt: expected names of classes, found none"),
        ("a.txt", b"car\n\xff\xfe", "a.txt: byte 5 is no text in UTF-8"),
        ("a.txt", b"car\n\0\0", "a.txt, line 2: expected names of classes as text"),
        ("a.json", b'{"images": []}', "a.json: expected a COCO file with a list of categories"),
        ("a.json", b'{"categories": [{"name": "a"}, {"id": 2}]}', "a.json, category 2, name: expected a text"),
        ("a.json", b'{"categories": [', "the JSON ends too early"),
        ("none.txt", None, "none.txt: No such file or directory; check the name"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, name: str, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as refused:
        read_class_file(tmp_path / name)
    assert sentence in str(refused.value)
