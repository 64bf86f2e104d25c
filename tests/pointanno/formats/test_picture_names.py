from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pointanno.dataset import Image
from pointanno.formats.picture_names import PictureFinder, left_out, short_names


def _images(*names: str) -> tuple[Image, ...]:
    return tuple(Image(number, name, 10, 10) for number, name in enumerate(names, start=1))


def test_the_ending_goes_unless_two_would_be_called_alike() -> None:
    images = _images("a.tif", "b.tif", "b.png", "in/c.jpg", "d", "e.x.png", "e.x")
    # the picture e.x.png would be called like the file e.x, whose own short name is free
    assert list(short_names(images).values()) == ["a", "b.tif", "b.png", "in/c", "d", "e.x.png", "e"]


def test_a_plane_keeps_its_place() -> None:
    plane = Image(1, "embryo.tif", 10, 10, extra={"pointanno": {"plane": {"t": 0, "z": 4}}})
    assert short_names([plane]) == {1: "embryo#t=0,z=4"}


def test_no_name_leads_out_of_a_folder() -> None:
    assert list(short_names(_images("../../a.png", "/b.png", "C:\\in\\c.png")).values()) == ["a", "b", "in/c"]


def test_pictures_are_found_by_all_their_names() -> None:
    images = _images("in/a.tif", "b.png", "b.tif", "out/c.png", "in/c.png")
    finder = PictureFinder(images)
    for name in ("in/a.tif", "in/a", "a.tif", "a", "elsewhere/a.tif", "in\\a"):
        assert finder.find(name) == images[0], name
    assert finder.find("b") is None  # may be either
    assert finder.find("b.tif") == images[2]
    assert finder.find("c.png") is None and finder.find("out/c") == images[3]
    assert finder.find("zebra") is None


@given(st.lists(st.text("ab.", min_size=1, max_size=4).filter(lambda name: name.strip(".") != ""), unique=True))
def test_short_names_differ_and_lead_back(names: list[str]) -> None:
    images = _images(*names)
    short = short_names(images)
    assert len({name.casefold() for name in short.values()}) == len(images)
    finder = PictureFinder(images)
    for image in images:
        assert finder.find(short[image.id]) == image


def test_many_missing_pictures_are_one_sentence() -> None:
    assert left_out(["a", "b"])[1] == "b: the project has no image of this name; its annotations are left out"
    (sentence,) = left_out([f"p{number}" for number in range(21)])
    assert sentence.startswith("21 images of the file, such as p0, p1, p2, are not in the project")
