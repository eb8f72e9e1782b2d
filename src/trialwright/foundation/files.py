"""Files that a power cut takes neither whole nor in part, once the call that wrote them has returned.

A name that was given is in the folder's page of the operating system, not on the disk; a file that was closed has its
bytes in memory. What the record relies on (attached files, keys, receipts) is synced, and so are its name and every
folder that was made for it.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path


def make_durable(path: Path) -> None:
    """Wait until a file, or a folder with everything in it, and its name, are on the disk."""
    for place in (path, *path.rglob("*"), path.parent):
        _sync(place)


def make_folder(path: Path) -> None:
    """Make a folder and those on the way to it; their names are on the disk when this returns."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in made:
        _sync(folder.parent)


def write_whole(path: Path, content: bytes, *, mode: int = 0o666, once: bool = False) -> None:
    """Put a file in its place, whole and on the disk, or not at all; folders on the way are made.

    Args:
        path: where; a file that is there is replaced at once.
        content: all of it.
        mode: its rights, but for those that the process's mask takes away.
        once: a file that is there stays, as when two processes make the same key at once.

    Raises:
        OSError: no room, no right, or a disk that fails.
    """
    make_folder(path.parent)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if once:
            with suppress(FileExistsError):
                path.hardlink_to(draft)
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def _sync(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
