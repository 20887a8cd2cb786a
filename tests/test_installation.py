"""What pip installs into somebody's own app has every file that the feed reads."""

import runpy
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def packages() -> list[str]:
    """The folders with an ``__init__``, which are what setuptools finds."""
    return [".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "igfeed").rglob("__init__.py")]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py tells setuptools, which is not among the tests' packages."""
    said: dict[str, Any] = {}
    setuptools = ModuleType("setuptools")
    monkeypatch.setattr(setuptools, "setup", said.update, raising=False)
    monkeypatch.setattr(setuptools, "find_packages", lambda include: packages(), raising=False)
    monkeypatch.setitem(sys.modules, "setuptools", setuptools)
    runpy.run_path(str(ROOT / "setup.py"))
    return said


def test_every_file_of_the_package_and_beside_it_is_installed(installed: dict[str, Any]) -> None:
    folders = {
        name: ROOT / installed["package_dir"].get(name, name.replace(".", "/")) for name in installed["packages"]
    }
    files = {path for folder in folders.values() for path in folder.glob("*.py")}
    for name, patterns in installed["package_data"].items():
        files |= {path for pattern in patterns for path in folders[name].glob(pattern)}

    read = {path for name in ("igfeed", "templates", "static") for path in (ROOT / name).rglob("*") if path.is_file()}
    missing = {path for path in read - files if "__pycache__" not in path.parts}
    assert missing == set()


def test_it_asks_for_what_a_deployment_has_or_newer_but_for_no_server(installed: dict[str, Any]) -> None:
    asked = {line.partition(">=")[0] for line in installed["install_requires"]}

    assert {"Flask", "Pillow", "requests"} < asked
    assert "gunicorn" not in asked
    assert all(">=" in line for line in installed["install_requires"])
