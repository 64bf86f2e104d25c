from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from pointanno.errors import InputError
from pointanno.runs import TrainArguments


def test_there_and_back_through_json(tmp_path: Path) -> None:
    arguments = TrainArguments(
        data=tmp_path / "a.json", images=tmp_path, overrides=("a=1", "b=2"), init=tmp_path, steps=4
    )
    values = orjson.loads(orjson.dumps(arguments.to_dict()))
    assert TrainArguments.from_dict(values) == arguments
    assert TrainArguments.from_dict({**values, "of_a_newer_version": 1}) == arguments


def test_paths_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = TrainArguments(data=Path("a.json"), images=Path(".")).absolute()
    assert (arguments.data, arguments.images, arguments.val) == (tmp_path / "a.json", tmp_path, None)


def test_words_of_the_command_line_become_arguments(arguments: TrainArguments) -> None:
    from pointanno.cli.train_command import arguments_from_words

    words = [str(arguments.data), "--images", str(arguments.images), "--set", "a=1", "b=2", "--steps", "3"]
    assert arguments_from_words(words) == replace(arguments, overrides=("a=1", "b=2"), steps=3)
    with pytest.raises(InputError, match="not understood"):
        arguments_from_words([*words, "--stepz", "3"])
    with pytest.raises(InputError, match="--images is missing"):
        arguments_from_words([str(arguments.data)])
