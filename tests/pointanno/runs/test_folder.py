from __future__ import annotations

from pathlib import Path

import pytest

from pointanno.errors import InputError
from pointanno.runs import RunFolder, TrainArguments, create_run, list_runs
from pointanno.runs.launch import check_resumable


def test_control_and_resumability(arguments: TrainArguments, tmp_path: Path) -> None:
    run = create_run(arguments, tmp_path / "run")
    run.request_pause()
    run.request_stop()
    assert RunFolder(run.path).control() == {"pause": True, "stop": True}
    run.clear_control()
    assert run.control() == {}
    check_resumable(run)


def test_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run folder"):
        RunFolder(tmp_path)
    with pytest.raises(InputError, match="no such run folder"):
        RunFolder(tmp_path / "nothing")
    with pytest.raises(InputError, match="no such folder"):
        list_runs(tmp_path / "nothing")


def test_damaged_files_are_sentences(arguments: TrainArguments, tmp_path: Path) -> None:
    run = create_run(arguments, tmp_path / "run")
    run.recipe_file.write_text("a = ")
    with pytest.raises(InputError, match="recipe.toml: not a TOML file"):
        run.recipe()
    run.environment_file.write_text("{")
    with pytest.raises(InputError, match="environment.json: the file is damaged"):
        run.arguments()
    # a pointer to a checkpoint that is not there is no checkpoint
    (run.checkpoints_folder / "last.json").write_text('{"folder": "gone", "id": "x"}')
    assert run.checkpoint("last") is None
    with pytest.raises(KeyError, match="last, best"):
        run.checkpoint("newest")


@pytest.mark.parametrize("values", ["5", '{"data": 5}', "{}"])
def test_damaged_arguments_are_a_sentence(arguments: TrainArguments, tmp_path: Path, values: str) -> None:
    run = create_run(arguments, tmp_path / "run")
    run.environment_file.write_text(f'{{"arguments": {values}}}')
    with pytest.raises(InputError, match="environment.json: the file is damaged"):
        run.arguments()
