from __future__ import annotations

import importlib.resources
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from npe2 import PluginManifest

TOP = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def manifest() -> PluginManifest:
    read: PluginManifest = PluginManifest.from_file(TOP / "napari.yaml")
    return read


def test_it_is_valid() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "npe2", "validate", str(TOP / "napari.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_resolves(manifest: PluginManifest) -> None:
    commands = manifest.contributions.commands or []
    assert len(commands) > 10
    for command in commands:
        module, _, name = str(command.python_name).partition(":")
        assert callable(getattr(__import__(module, fromlist=[name]), name)), command.id


def test_the_installed_copy_is_current() -> None:
    installed = importlib.resources.files("pointanno_manifest") / "napari.yaml"
    assert installed.read_text() == (TOP / "napari.yaml").read_text(), "run `pip install --no-deps -e .` again"


def test_it_offers_what_it_should(manifest: PluginManifest) -> None:
    offered = manifest.contributions
    assert [widget.display_name for widget in offered.widgets or []] == [
        "Annotate",
        "Train & preview",
        "Study report",
    ]
    patterns = {pattern for reader in offered.readers or [] for pattern in reader.filename_patterns}
    assert patterns == {"*.pointanno", "*.coco-points.json"}
    from napari._app_model.constants._menus import MenuId

    assert set(offered.menus) <= {str(menu.value) for menu in MenuId.contributables()}


def test_every_command_has_a_title_of_its_own(manifest: PluginManifest) -> None:
    """People find commands by their titles in the palette."""
    titles = [command.title for command in manifest.contributions.commands or []]
    assert len(set(titles)) == len(titles)
    assert all(4 <= len(title) <= 60 for title in titles)


def test_whatever_is_contributed_has_its_command(manifest: PluginManifest) -> None:
    offered = manifest.contributions
    ids = {command.id for command in offered.commands or []}
    used = [one.command for kind in (offered.readers, offered.writers, offered.widgets) for one in kind or []]
    used += [item.command for menu in offered.menus.values() for item in menu if hasattr(item, "command")]
    assert set(used) <= ids
    assert len(used) > 10


def test_the_writer_takes_points_with_boxes(manifest: PluginManifest) -> None:
    (writer,) = manifest.contributions.writers or []
    assert writer.layer_types == ["points+", "shapes*"]
    assert writer.filename_extensions == [".coco-points.json", ".json"]


def test_readers_claim_our_own_names_only(manifest: PluginManifest) -> None:
    readers = manifest.contributions.readers or []
    for path in ("a.png", "a.json", "a.tif", "folder"):
        assert not any(fnmatch(path, pattern) for reader in readers for pattern in reader.filename_patterns)


def test_every_sample_makes_layers(manifest: PluginManifest) -> None:
    from napari.layers import Layer

    names = {command.id: str(command.python_name) for command in manifest.contributions.commands or []}
    for sample in manifest.contributions.sample_data or []:
        module, _, name = names[sample.command].partition(":")  # type: ignore[union-attr]
        layers: list[Any] = getattr(__import__(module, fromlist=[name]), name)()
        assert layers
        for data, arguments, kind in layers:
            assert isinstance(Layer.create(data, arguments, kind), Layer)
