"""A file on its way into the store: whole under its hash, or a part that the next try goes on with."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from crawler.errors import ItemError
from crawler.http.transfer import OVERLAP, Head, Kept
from db.errors import DataFolderForbidden
from db.files import ATTACHMENTS, data_folder, folders, read_own, whole_file
from pipeline.attachments.paths import path_of

SAVED_EVERY = 8 << 20  # bytes of a part, after which it survives the end of this process
LEFT_FOR = 7 * 86_400.0  # seconds, after which nobody goes on with a part

_PART, _DRAFT = "part.", "draft."
_OPENED = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


class Draft:
    """A file that comes in pieces; an async context manager.

    Only what has come to disk whole gets its name, its hash. What is there of a file that the server would go
    on with stays as a part; everything else was never there.

    Args:
        home: the data folder.
        mark: of the file, for its part; None: it leaves none.
    """

    def __init__(self, home: Path, mark: str | None = None) -> None:
        self._home = home
        self._folder = home / ATTACHMENTS
        self._part = (
            None if mark is None else self._folder / f"{_PART}{hashlib.sha256(mark.encode()).hexdigest()}"
        )
        self._hash = hashlib.sha256()
        self._path = self._part or self._folder
        self._saved = 0
        self._is_kept = False
        self.size = 0
        self.head: Head | None = None  # what the newest answer said

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._open)
        return self

    def _open(self) -> None:
        data_folder(self._home)
        folders(self._folder)
        found = self._folder.stat()
        if found.st_uid == os.geteuid() and found.st_mode & 0o077:
            self._folder.chmod(0o700)
        file = None if self._part is None else _locked(self._part)
        if file is None:
            # Two issues may have the same file, stored at the same moment: each has a draft of its own.
            self._part = None
            descriptor, name = tempfile.mkstemp(prefix=_DRAFT, dir=self._folder)
            file, self._path = os.fdopen(descriptor, "wb+"), Path(name)
        self._file = file
        self._restore()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if self.kept is not None:
                self._save()
            elif not self._is_kept:
                self._drop()

    @property
    def kept(self) -> Kept | None:
        """What is here of the file, where the server would go on with it."""
        head = self.head
        if self._part is None or head is None or head.size is None or head.validator is None:
            return None
        if not 0 < self.size < head.size:
            return None
        self._file.flush()
        start = max(0, self.size - OVERLAP)
        tail = os.pread(self._file.fileno(), self.size - start, start)
        return Kept(have=self.size, tail=tail, size=head.size, validator=head.validator)

    async def begin(self, head: Head) -> None:
        """Take what an answer says of the bytes that follow.

        Raises:
            ItemError: they do not follow on what is here.
        """
        if head.start == 0:
            self.start_anew()
        elif head.start != self.size:
            raise ItemError("The process that fetches the file gave another part of it than is missing.")
        self.head = head

    async def write(self, data: bytes) -> None:
        """Add the next bytes."""
        self._hash.update(data)
        self._file.write(data)
        self.size += len(data)
        if self.size - self._saved >= SAVED_EVERY and self.kept is not None:
            await asyncio.to_thread(self._save)

    def start_anew(self) -> None:
        """Drop what is here."""
        self._file.seek(0)
        self._file.truncate()
        self._hash = hashlib.sha256()
        self.size = self._saved = 0
        self.head = None

    @property
    def sha256(self) -> str:
        """The hash of what is here, in hexadecimal."""
        return self._hash.hexdigest()

    def keep(self) -> str:
        """Keep the file under its hash, for this account only, and give the hash in hexadecimal.

        The file has its name only once all of it is on disk.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        path = self._home / path_of(self.sha256)
        if path.exists():
            self._path.unlink()
        else:
            folders(path.parent)
            self._path.replace(path)
        if self._part is not None:
            _about(self._part).unlink(missing_ok=True)
        self._is_kept, self.head = True, None
        return self.sha256

    def _save(self) -> None:
        """Let what is here survive us: the bytes first, then what is said of them."""
        head = self.head
        if self._part is None or head is None:
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        told = {"have": self.size, "size": head.size, "validator": head.validator, "sha256": self.sha256}
        told["content_type"] = head.content_type
        with whole_file(_about(self._part)) as file:
            file.write(json.dumps(told).encode())
        self._saved = self.size

    def _restore(self) -> None:
        """Take what an earlier try left, if it is what was said of it."""
        if self._part is None:
            return
        with suppress(OSError, ValueError, KeyError, TypeError, DataFolderForbidden):
            told = json.loads(read_own(_about(self._part)))
            head = Head(
                start=0,
                size=int(told["size"]),
                validator=str(told["validator"]),
                content_type=told["content_type"],
            )
            left = int(told["have"])
            while left and (piece := self._file.read(min(left, 1 << 20))):
                self._hash.update(piece)
                left -= len(piece)
            if not left and self.sha256 == told["sha256"]:
                self.size = self._saved = int(told["have"])
                self.head = head
                self._file.seek(self.size)
                self._file.truncate()  # behind it may be what never came to disk whole
        if self.head is None:
            self.start_anew()

    def _drop(self) -> None:
        self._path.unlink(missing_ok=True)
        if self._part is not None:
            _about(self._part).unlink(missing_ok=True)


def left_over(home: Path, seconds: float = LEFT_FOR) -> Iterator[Path]:
    """Parts and drafts that nobody has touched for so long, and nobody is at."""
    folder = home / ATTACHMENTS
    if not folder.is_dir():
        return
    long_ago = time.time() - seconds
    for entry in list(os.scandir(folder)):
        ours = entry.name.startswith((_PART, _DRAFT, f".{_PART}"))
        with suppress(FileNotFoundError):
            if ours and entry.stat(follow_symlinks=False).st_mtime < long_ago and not _is_in_use(entry.path):
                yield Path(entry.path)


def _name(mark: str) -> str:
    return _PART + hashlib.sha256(mark.encode("utf-8", "replace")).hexdigest()


def _about(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _locked(path: Path) -> BinaryIO | None:
    """Open a part that nobody else is at; None: somebody is."""
    for _ in range(10):
        try:
            file = os.fdopen(os.open(path, _OPENED, 0o600), "rb+")
        except OSError:  # a link, or a folder, of that name
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever was at it may have finished it, and taken the name away, before we had the lock.
            if os.path.samestat(os.fstat(file.fileno()), path.lstat()):
                return file
        except FileNotFoundError:
            pass
        except OSError:
            file.close()
            return None
        file.close()
    return None


def _is_in_use(path: str) -> bool:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
