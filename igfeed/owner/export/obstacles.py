"""What is in the way of an export's files: a file or a link of somebody else where they need a folder."""

import os
from pathlib import Path, PurePosixPath

from igfeed.errors import IgfeedError


def obstacle(top: Path, name: str) -> Path | None:
    """What has the name of a folder that the file is in, and is none. A link to a folder is an obstacle too."""
    for parent in reversed(PurePosixPath(name).parents):
        place = top / parent
        if place != top and os.path.lexists(place) and (place.is_symlink() or not place.is_dir()):
            return place
    return None


def check_folders(top: Path, name: str) -> None:
    """Raises IgfeedError if something is in the way of a folder that the file ``name`` needs inside ``top``."""
    place = obstacle(top, name)
    if place is None:
        return
    what = "a link, and no file is written behind it" if place.is_symlink() else "a file, and a folder is needed there"
    raise IgfeedError(f"{place} is {what}.", "Choose another folder, or move that away.")


def check_can_be_folder(folder: Path) -> None:
    """Raises IgfeedError if the folder, or one that it is in, is a file or a link that leads to no folder."""
    for place in (folder, *folder.parents):
        if not os.path.lexists(place) or place.is_dir():
            continue
        what = "a link that leads to no folder" if place.is_symlink() else "a file"
        raise IgfeedError(f"{place} is {what}, and an export needs a folder.", "Name another one.")
