"""The programs that a bench needs besides: found, else installed where that can be done, else named in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which

ROOT = Path(__file__).parent.parent.parent
DEBIAN = {"wrk": "wrk", "nginx": "nginx-light"}
ADMIN = f"/usr/sbin:/sbin:{os.environ.get('PATH', '')}"
"""Where nginx is, which not everybody's PATH names."""


@dataclass
class Tools:
    """Where each program is, None for what is not there."""

    wrk: str | None
    nginx: str | None
    granian: str | None
    missing: list[str] = field(default_factory=list)


def find_tools() -> Tools:
    if needed := [package for program, package in DEBIAN.items() if not _found(program)]:
        _install_from_debian(needed)
    granian = Path(sys.executable).parent / "granian"
    if not granian.exists():
        _run(sys.executable, "-m", "pip", "install", "--quiet", "-r", str(ROOT / "requirements-granian.txt"))
    tools = Tools(_found("wrk"), _found("nginx"), str(granian) if granian.exists() else None)
    for name in ("wrk", "nginx", "granian"):
        if getattr(tools, name) is None:
            tools.missing.append(name)
            how = f"apt install {DEBIAN[name]}" if name in DEBIAN else "pip install -r requirements-granian.txt"
            sys.stderr.write(f"{name} is missing ({how}): the rows that need it are left out.\n")
    return tools


def _found(program: str) -> str | None:
    return which(program, path=ADMIN)


def _install_from_debian(packages: list[str]) -> None:
    if os.geteuid() == 0 and which("apt-get"):
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)


def _run(*command: str) -> None:
    """Whether it worked shows in what is there afterwards."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=300)
