"""The folder of an export, in which new files replace those of the export before.

All new files are written before the first one is moved to its place. Pictures are moved first and pages last. Then the
files that no page names any more are removed. So at every moment each page in the folder has every file that it names,
even if the process is killed. The folder itself is never replaced: it may be a git working tree or a mounted volume.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

from igfeed.errors import IgfeedError
from igfeed.owner.export.interrupts import HeldInterrupts, hold_interrupts
from igfeed.owner.export.obstacles import check_can_be_folder, check_folders, obstacle

LIST_NAME = ".igfeed-export"
"""The file that names all files of the export. Files that it does not name are somebody else's."""

LIST_HEADING = "# Files of `flask igfeed export`. The next export replaces or removes them, and no others."

UNFINISHED_NAME = ".igfeed-unfinished"
"""The folder inside the export's folder for new files that are not in their place yet, and for copies of old ones."""

EARLY_NAMES = ("index.html", "media/any", "static/any")
"""What is checked before the fetch. All other names are known after it."""


class NewExport:
    """The files of a new export. ``names`` has the names of all that were written or kept, relative to the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._new, self._old = folder / UNFINISHED_NAME / "new", folder / UNFINISHED_NAME / "old"
        self._new.mkdir(parents=True)
        self._before = _listed(folder)
        self._changed: set[str] = set()
        self.names: set[str] = set()

    def write(self, name: str, content: bytes) -> None:
        """Add a file. One that has the same content already is left untouched, so that its time does not change.

        Raises IgfeedError if something of somebody else is in its place.
        """
        self.names.add(name)
        place = self._folder / name
        check_folders(self._folder, name)
        if place.is_file() and place.read_bytes() == content:
            return
        self.check_is_ours(name)
        new = self._new / name
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)
        self._changed.add(name)

    def keep(self, name: str) -> bool:
        """Keep a file of the export before, whatever it contains. False if there is none with that name."""
        if name not in self._before or not self._has_file(name):
            return False
        self.names.add(name)
        return True

    def check_is_ours(self, name: str) -> None:
        """Raises IgfeedError if somebody else's file has that name, or the name of a folder that it is in."""
        check_folders(self._folder, name)
        place = self._folder / name
        if (name not in self._before and os.path.lexists(place)) or place.is_dir():
            raise IgfeedError(
                f"{place} is not a file of an export, so it is not replaced.",
                "Choose another folder, or move that file away.",
            )

    def take_place(self, interrupts: HeldInterrupts) -> None:
        """Let the new files take the place of the old ones. If that fails or is interrupted, it is undone."""
        gone = {name for name in self._before - self.names if self._has_file(name)}
        names = sorted(self._changed | gone, key=lambda name: (name in gone, *_pages_last(name)))
        if not names and self._before == self.names:
            return
        for name in (LIST_NAME, *names):
            self._copy_aside(name)
        begun = [LIST_NAME]
        try:
            self._list(self._before | self.names)  # If the process is killed now, the next one knows all that is ours.
            for name in names:
                interrupts.raise_noted()
                begun.append(name)
                self._remove(name) if name in gone else self._move(name)
            interrupts.raise_noted()
            self._list(self.names)
        except BaseException:
            self._undo(begun)
            raise

    def _has_file(self, name: str) -> bool:
        """Whether the folder itself has the file, not a place that a link leads to."""
        return (self._folder / name).is_file() and obstacle(self._folder, name) is None

    def _list(self, names: set[str]) -> None:
        (self._new / LIST_NAME).write_bytes("\n".join([LIST_HEADING, *sorted(names), ""]).encode())
        self._move(LIST_NAME)

    def _copy_aside(self, name: str) -> None:
        if (self._folder / name).is_file():
            (self._old / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self._folder / name, self._old / name)

    def _move(self, name: str) -> None:
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        (self._new / name).replace(place)

    def _remove(self, name: str) -> None:
        (self._folder / name).unlink()
        _remove_empty_folders(self._folder / name, self._folder)

    def _undo(self, names: list[str]) -> None:
        """Put these files back, the last one first. Raises IgfeedError if that fails for some."""
        lost = []
        for name in reversed(names):
            try:
                self._put_back(name)
            except OSError:
                lost.append(name)
        if lost:
            what = f"Files that could not be put back: {len(lost)}, such as {lost[0]}"
            raise IgfeedError(f"{self._folder} could not be written. {what}.", "Run the command again.")

    def _put_back(self, name: str) -> None:
        place, old = self._folder / name, self._old / name
        if old.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            old.replace(place)
            return
        if os.path.lexists(place):  # Not if its folder could not be made.
            place.unlink()
        _remove_empty_folders(place, self._folder)


@contextmanager
def new_export(folder: Path) -> Iterator[NewExport]:
    """Files that are written inside the block take the place of the export before at its end.

    If the block or the replacing fails, the folder is as it was. Raises IgfeedError if it cannot be written.
    """
    missing = [each for each in (folder, *folder.parents) if not os.path.lexists(each)]
    with ExitStack() as at_end, _clear_errors(folder):
        check_can_be_folder(folder)
        at_end.callback(_remove_empty, missing)
        folder.mkdir(parents=True, exist_ok=True)
        with _alone_in(folder), _place_for_unfinished(folder):
            export = NewExport(folder)
            for name in EARLY_NAMES:
                export.check_is_ours(name)
            yield export
            # Held until the end, so that nobody reads "Aborted!" about an export that is complete.
            export.take_place(at_end.enter_context(hold_interrupts()))


@contextmanager
def _clear_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise IgfeedError(f"{folder} could not be written: {reason}.", "Nothing in it has changed.") from None


def _remove_empty(folders: list[Path]) -> None:
    with suppress(OSError), hold_interrupts():
        for each in folders:
            each.rmdir()


@contextmanager
def _place_for_unfinished(folder: Path) -> Iterator[None]:
    """Raises IgfeedError if somebody else's file has the name of the folder for unfinished files."""
    check_folders(folder, f"{UNFINISHED_NAME}/new")
    unfinished = folder / UNFINISHED_NAME
    if unfinished.is_dir():  # Of an export that was killed.
        shutil.rmtree(unfinished)
    try:
        yield
    finally:
        with hold_interrupts():
            shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Raises IgfeedError if another process is exporting into the folder. A lock ends with its process."""
    place = os.open(folder, os.O_RDONLY)
    try:
        if not _lock(place):
            raise IgfeedError(f"Another export into {folder} is running.", "Try again when it has ended.")
        yield
    finally:
        os.close(place)


def _lock(place: int) -> bool:
    """False if another process has the lock. True if no lock can be had there, as on some network drives."""
    try:
        import fcntl  # noqa: PLC0415  Windows has none, and the other commands work there

        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return True
    return True


def _listed(folder: Path) -> set[str]:
    """The names of our files in the folder. A name that leads out of the folder is ignored."""
    try:
        lines = (folder / LIST_NAME).read_text("utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return set()
    return {line for line in lines if line and not line.startswith("#") and _is_inside(PurePosixPath(line))}


def _is_inside(name: PurePosixPath) -> bool:
    return not name.is_absolute() and ".." not in name.parts


def _pages_last(name: str) -> tuple[bool, bool, str]:
    return name.endswith(".html"), name == "index.html", name


def _remove_empty_folders(file: Path, top: Path) -> None:
    """Remove the folders that the file was in, up to ``top``, as far as nothing is left in them."""
    with suppress(OSError):
        for folder in file.parents:
            if folder == top:
                return
            folder.rmdir()
