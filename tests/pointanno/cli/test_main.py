"""Every command explains itself with an example, and every mistake ends in one sentence."""

from __future__ import annotations

import orjson
import pytest

from pointanno.cli import app, main
from pointanno.cli.main import BAD_INPUT, BROKEN

COMMANDS = [name for name in app if not name.startswith("-")]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main([name, "--help"])
    said = capsys.readouterr().out
    assert f"pointanno {name} " in said or f"pointanno {name}" in said
    assert "Example:" in said
    assert "--json" in said


def test_unknown_command_names_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["trian"])
    said = capsys.readouterr()
    assert stopped.value.code == BAD_INPUT
    assert "train" in said.err
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_wrong_option_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["scenes", "somewhere", "--count", "many"])
    said = capsys.readouterr()
    assert stopped.value.code == BAD_INPUT
    assert said.out == ""
    assert "--count" in said.err and said.err.count("\n") == 1


def test_our_own_mistake_is_reported_with_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_args, **_kwargs: folder)
    monkeypatch.setattr("pointanno.diagnosis.diagnose", lambda: 1 / 0)
    with pytest.raises(SystemExit) as stopped:
        main(["doctor"])
    said = capsys.readouterr().err
    assert stopped.value.code == BROKEN
    assert "Traceback" not in said and str(folder) in said
    assert "ZeroDivisionError" in (folder / "last_error.txt").read_text(encoding="utf-8")


def test_doctor_is_one_object_for_machines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from pointanno.diagnosis import Finding

    monkeypatch.setattr("pointanno.diagnosis.diagnose", lambda: [Finding("Qt", "broken", "no module", "install it")])
    with pytest.raises(SystemExit) as stopped:
        main(["doctor", "--json"])
    result = orjson.loads(capsys.readouterr().out)
    assert stopped.value.code == BAD_INPUT
    assert result["healthy"] is False and result["findings"][0]["advice"] == "install it"
