"""Listing, comparing and ending runs from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pointanno.cli.main import main
from pointanno.runs import RunFolder
from pointanno.runs import stopping as stopping_module
from pointanno.runs.process import write_worker_file


def run(folder: Path, seed: int, *losses: float) -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    environment = {"system": "point_sup", "arguments": {"data": "d.json", "images": "i", "seed": seed}}
    (folder / "environment.json").write_text(json.dumps(environment))
    (folder / "recipe.toml").write_text("[train]\nsteps = 9\n")
    lines = [
        {"kind": "step", "time": 10.0 + n, "stage": "train", "step": n, "steps": 9, "loss": loss}
        for n, loss in enumerate(losses, 1)
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    run(tmp_path / "runs" / "a", 0, 3.0, 1.0)
    run(tmp_path / "runs" / "b", 1, 4.0)
    return tmp_path / "runs"


def test_comparison_as_a_table_and_as_json(runs: Path, capsys: Any) -> None:
    main(["runs", str(runs), "--compare", str(runs / "a"), "b"])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [["a", "b"], ["run", "seed", "0", "1"]]
    assert ["loss", "2", "4"] in lines
    main(["runs", str(runs), "--compare", "a", "b", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert told["names"] == ["a", "b"] and told["paths"] == [str(runs / "a"), str(runs / "b")]
    assert told["differences"] == [{"group": "run", "name": "seed", "values": [0, 1]}]


def test_equal_runs_and_too_few(runs: Path, capsys: Any) -> None:
    main(["runs", str(runs), "--compare", "a", "a"])
    assert "nothing differs" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["runs", str(runs), "--compare", "a"])
    assert ended.value.code == 2 and "at least two runs" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["runs", str(runs), "--compare", "a", "nothing"])
    assert "there is no such run folder" in capsys.readouterr().err


def test_list_stays_as_it_is(runs: Path, capsys: Any) -> None:
    main(["runs", str(runs), "--json"])
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["runs"]] == ["a", "b"]


def test_force_ends_a_worker_that_does_not_answer(runs: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", deaf], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        write_worker_file(runs / "a" / "worker.json", process.pid)
        worker = json.loads((runs / "a" / "worker.json").read_text())
        (runs / "a" / "worker.json").write_text(json.dumps(worker | {"started": 1.0}))
        original = stopping_module.Stopping
        monkeypatch.setattr(
            stopping_module, "Stopping", lambda run: original(run, terminate_after_s=0.2, kill_after_s=0.4)
        )
        main(["stop", str(runs / "a"), "--force", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert told["killed"] is True and told["state"] == "stopped"
        assert process.wait(10) == -9
        assert "was killed" in RunFolder(runs / "a").status().message
    finally:
        process.stdout.close()
        process.kill()
        process.wait()
