"""Disks that stop taking writes: real file systems, small and mounted for one test."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A real file system of two megabytes."""
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with suppress(OSError), (disk / "filling").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(512))


def remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


DISKS: dict[str, tuple[Callable[[Path], Any], Callable[[Path], Any]]] = {
    "full": (fill, lambda disk: (disk / "filling").unlink()),
    "read-only": (lambda disk: remount(disk, "ro"), lambda disk: remount(disk, "rw")),
}
"""How a disk stops taking writes, and how it takes them again."""
