"""`pointanno study-plan`: a plan in the project, its orders, and sentences for what cannot be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image as Picture

from pointanno.cli.main import main
from pointanno.dataset import Category
from pointanno.project import Project
from pointanno.project.studies import stored_plan

PLAN = ("--conditions", "single_point", "box_points:10", "mask", "--participants", "6", "--seed", "3")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    pictures = tmp_path / "images"
    pictures.mkdir()
    for number in range(9):
        Picture.fromarray(np.full((8, 8), number, np.uint8)).save(pictures / f"{number}.png")
    with Project.create(tmp_path / "p", images=pictures, categories=[Category(1, "cell", True)]) as made:
        return made.path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(["study-plan", *arguments])
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_a_plan_is_written_and_shown(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "plan.json"
    main(["study-plan", str(project), *PLAN, "--practice", "1", "--break-minutes", "20", "-o", str(out)])
    told = capsys.readouterr()
    assert "6 participants, 6 images, 3 to practise on, seed 3" in told.out and told.err == ""
    with Project.open(project, writable=False) as opened:
        stored = stored_plan(opened)
    assert stored is not None and stored.plan.as_payload() == orjson.loads(out.read_bytes())
    assert stored.plan.breaks.minutes == 20 and stored.plan.breaks.after_block
    main(["study-plan", str(project)])
    shown = capsys.readouterr().out
    assert shown.count("participant ") == 6 and shown.count("practice ") == 18
    main(["study-plan", str(project), "--json"])
    result = orjson.loads(capsys.readouterr().out)
    for person, number in zip(result["people"], range(1, 7), strict=True):
        blocks = stored.plan.schedule(number).blocks
        assert [one["images"] for one in person["blocks"]] == [list(block.images) for block in blocks]
        assert [one["condition"] for one in person["blocks"]] == [block.condition.name for block in blocks]
    other = Path(f"{tmp_path}/other")
    with Project.create(other, images=tmp_path / "images", categories=[Category(1, "cell", True)]) as made:
        path = made.path
    main(["study-plan", str(path), "--plan", str(out)])
    with Project.open(path, writable=False) as opened:
        again = stored_plan(opened)
    assert again is not None and again.plan == stored.plan, "a written plan is the same plan in another project"


def test_what_cannot_be_balanced_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["study-plan", str(project), "--conditions", "mask", "single_point", "--participants", "3"])
    told = capsys.readouterr().err
    assert "3 participants are no multiple of 2" in told and "9 images are no multiple of 2" in told


def test_wrong_plans_are_one_sentence(project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    here = str(project)
    assert "no study is planned" in refused(capsys, here)
    assert "--conditions: expected" in refused(capsys, here, "--participants", "2")
    assert "--participants: expected" in refused(capsys, here, "--conditions", "mask")
    assert "condition 'boxes'" in refused(capsys, here, "--conditions", "boxes", "--participants", "2")
    assert "--practice: expected" in refused(capsys, here, *PLAN, "--practice", "-1")
    assert "--gold-share: expected a share" in refused(capsys, here, *PLAN, "--gold-share", "2")
    assert "study plan, zoom: " in refused(capsys, here, *PLAN, "--zoom", "wide")
    wrong = tmp_path / "plan.toml"
    wrong.write_text("participants = 2\nseed = 'x'\n[[conditions]]\nname = 'a'\nmode = 'mask'\n")
    assert f"{wrong}, seed: " in refused(capsys, here, "--plan", str(wrong))
    assert "does not exist" in refused(capsys, here, *PLAN, "-o", str(tmp_path / "no" / "plan.json"))
    with Project.open(project, writable=False) as opened:
        assert [event.kind for event in opened.events()] == ["category_added"], "nothing was written"


def test_a_study_that_has_begun_is_not_replaced_by_accident(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["study-plan", str(project), *PLAN])
    with Project.open(project) as opened:
        stored = stored_plan(opened)
        assert stored is not None
        opened.record("study_start", {"plan": stored.uuid, "participant": 2, "annotator": "anon-7"})
    assert "say --replace" in refused(capsys, str(project), *PLAN, "--name", "other")
    main(["study-plan", str(project), "--show"])
    assert "participant 2  anon-7: 0 of 9 done" in capsys.readouterr().out
    main(["study-plan", str(project), *PLAN, "--name", "other", "--replace"])
    assert capsys.readouterr().out.startswith("other: ")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("participants = 2\nconditions = 3", "conditions: expected a list, received 3"),
        ('participants = 2\npractice = 3\n[[conditions]]\nname = "a"\nmode = "mask"', "practice: expected a list"),
        ('participants = 2\nbreaks = "ab"\n[[conditions]]\nname = "a"\nmode = "mask"', "breaks: expected a table"),
        ("participants = " + "[" * 5000 + "]" * 5000, "nested too deeply"),
        ("participants = " + "9" * 6000, "a number in it is too long"),
    ],
)
def test_mistyped_files_are_one_sentence(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(text, encoding="utf-8")
    assert sentence in refused(capsys, str(project), "--plan", str(file), "--break-minutes", "3")


def test_a_folder_as_out_is_refused_before_anything_is_planned(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is a folder" in refused(capsys, str(project), *PLAN, "-o", str(tmp_path))
    with Project.open(project, writable=False) as opened:
        assert stored_plan(opened) is None


def test_a_damaged_plan_is_told_and_can_be_replaced(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Project.open(project) as opened:
        opened.record("study_plan", {"conditions": 3})
    assert "--replace" in refused(capsys, str(project), *PLAN)
    main(["study-plan", str(project), *PLAN, "--replace"])
    with Project.open(project, writable=False) as opened:
        stored = stored_plan(opened)
    assert stored is not None and len(stored.plan.conditions) == 3


@pytest.mark.parametrize("number", ["2.5", "1e3", "99999999999999999999", "nan"])
def test_numbers_are_never_rounded(project: Path, capsys: pytest.CaptureFixture[str], number: str) -> None:
    told = refused(capsys, str(project), "--conditions", "mask", "--participants", number)
    assert "--participants" in told and "whole number" in told and "\n" not in told.strip()
