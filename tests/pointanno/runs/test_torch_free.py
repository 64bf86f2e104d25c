from __future__ import annotations

import subprocess
import sys

CHECK = """
import sys
import pointanno.runs, pointanno.runs.preview_client, pointanno.cli.train_command, pointanno.cli.runs_command
import pointanno_models.engine.recipe
from pointanno.systems import load_system
load_system("point_sup").recipes()
loaded = {"torch", "torchvision", "lightning_fabric", "triton"} & set(sys.modules)
assert not loaded, loaded
"""


def test_watching_and_starting_runs_needs_no_torch() -> None:
    subprocess.run([sys.executable, "-c", CHECK], check=True)
