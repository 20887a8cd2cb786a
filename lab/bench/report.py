"""Tables in Markdown, and what they were measured on."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """The processor and its cores, the system, Python and the packages that matter."""
    found = re.search(r"model name\s*:\s*(.+)", _text("/proc/cpuinfo"))
    cpu = found[1].strip() if found else platform.processor() or platform.machine()
    packages = ", ".join(
        f"{name} {known}" for name in ("Flask", "gunicorn", "granian", "Pillow") if (known := _known(name))
    )
    return f"{os.cpu_count()} × {cpu}, {platform.system()}, Python {platform.python_version()}, {packages}"


def _known(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""
