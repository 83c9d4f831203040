"""Writes an archive: a page an issue, files beside them, and a search that runs in the browser."""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crawler.errors import UsageError
from db.acting import Acting
from pipeline.attachments.stored import copy, name_for
from pipeline.search.timeline import plain, timeline
from web.pages.issue import FIELDS
from web.shown import asset_bytes, clean, rendered
from web.site.index import Index
from web.site.paths import Paths
from web.words import words_of

_AT_ONCE = 200  # issues asked for, and rows of a chunk of the list
_PARTS = ("comments", "history", "attachments", "relations")
_HARMLESS = {  # what a browser that opens it runs no script of
    *(
        "txt",
        "log",
        "csv",
        "tsv",
        "json",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "bmp",
        "pdf",
        "zip",
        "gz",
        "tgz",
    ),
    *(
        "7z",
        "tar",
        "bz2",
        "xz",
        "zst",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "odt",
        "ods",
        "hwp",
        "hwpx",
    ),
    *(
        "msg",
        "eml",
        "trc",
        "out",
        "err",
        "dmp",
        "sql",
        "md",
        "yml",
        "yaml",
        "ini",
        "conf",
        "cfg",
        "properties",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Archived:
    """What came of it."""

    issues: int
    files: int
    missing: int  # files whose bytes are not in this data folder, or damaged


def write_site(acting: Acting, home: Path, folder: Path, *, tracker: str | None, language: str) -> Archived:
    """Write the issues that a user sees, as they are in this moment.

    The folder has its name only once all is there.

    Raises:
        UsageError: the folder is not empty, or cannot be written.
    """
    building = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not empty: give a new folder.")
        building.mkdir(mode=0o700, parents=True)
        try:
            archived = _Site(acting, home, building, language).write(tracker)
            if folder.exists():
                folder.rmdir()
            building.rename(folder)
        except BaseException:
            shutil.rmtree(building, ignore_errors=True)
            raise
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return archived


class _Site:
    def __init__(self, acting: Acting, home: Path, folder: Path, language: str) -> None:
        self._acting, self._home, self._folder, self._language = acting, home, folder, language
        self._index, self._rows = Index(), list[list[str]]()
        self._places: dict[tuple[str | None, str], str] = {}
        self._files: dict[str, str | None] = {}  # paths by hash and name; None: the bytes are not there

    def write(self, tracker: str | None) -> Archived:
        paths = Paths()
        keys = []
        named: dict[int, str | None] = {}
        for row in self._acting.rows("site", "places", {"tracker": tracker}):
            this = (row["tracker"], row["issue_id"])
            self._places[this] = paths.place(row["url"], *this)
            keys.append(row["issue_pk"])
            named[row["issue_pk"]] = row["tracker"]
        for start in range(0, len(keys), _AT_ONCE):
            for issue in self._issues(keys[start : start + _AT_ONCE]):
                self._write_issue({**issue, "tracker": named[issue["issue_pk"]]})
        self._write_search()
        missing = sum(path is None for path in self._files.values())
        return Archived(issues=len(keys), files=len(self._files) - missing, missing=missing)

    def _issues(self, keys: list[int]) -> Iterator[dict[str, Any]]:
        parts: dict[str, dict[int, list[dict[str, Any]]]] = {name: defaultdict(list) for name in _PARTS}
        for name in _PARTS:
            for row in self._acting.rows("site", name, {"keys": keys}):
                parts[name][row["issue_pk"]].append(row)
        for issue in self._acting.rows("site", "issues", {"keys": keys}):
            yield {**issue, **{name: parts[name][issue["issue_pk"]] for name in _PARTS}}

    def _write_issue(self, issue: dict[str, Any]) -> None:
        place = self._places[issue["tracker"], issue["issue_id"]]
        root = "../" * place.count("/")
        files = {file["attachment_id"]: self._file(file) for file in issue["attachments"]}
        events = timeline(issue)
        page = rendered(
            "issue.html",
            self._language,
            root=root,
            link=partial(self._link, root, files),
            issue=issue,
            fields=[(name, issue[name]) for name in FIELDS if issue[name] not in (None, "")],
            further=[
                (name, plain(value)) for name, value in issue["full_data"].items() if value not in (None, "")
            ],
            events=events,
            later=None,
            earlier=None,
            count=len(events),
            at=None,
            wrong=None,
            this={"id": issue["issue_id"], "tracker": issue["tracker"]},
        )
        self._write(place, page.encode("utf-8", "replace"))
        self._add(issue, place)

    def _add(self, issue: dict[str, Any], place: str) -> None:
        about = " ".join(
            issue[name] or "" for name in ("product", "module", "status", "owner", "reporter", "priority")
        )
        attached = issue["attachments"]
        texts = [
            (9, f"{issue['issue_id']} {issue['title'] or ''}"),
            (2, about),
            (1, issue["description"] or ""),
            *((1, row["content"] or "") for row in issue["comments"]),
            *((2, row["filename"]) for row in attached),
            *((1, row["extracted_text"] or "") for row in attached),
        ]
        self._index.add(len(self._rows), texts)
        shown = " ".join(clean(issue["description"]).split())[:240]
        told = (issue["issue_id"], issue["title"], issue["status"], issue["product"])
        self._rows.append([*map(clean, told), quote(place), shown])

    def _link(
        self, root: str, files: Mapping[int, str | None], path: str, values: Mapping[str, Any]
    ) -> str | None:
        """Where something is in the archive; None: it is not in it."""
        if path == "/issue":
            place = self._places.get((values["tracker"], values["id"]))
            return None if place is None else root + quote(place)
        if path == "/download":
            place = files[values["file"]]
            return None if place is None else root + quote(place)
        return None

    def _file(self, file: dict[str, Any]) -> str | None:
        """Copy a file's bytes, the same ones under the same name once."""
        if not file["downloaded"] or file["sha256"] is None:
            return None
        name = name_for(file)
        if name.rpartition(".")[2].lower() not in _HARMLESS:
            name += ".bin"  # else a browser might run what somebody attached
        place = f"files/{file['sha256'][:16]}/{name}"
        if place not in self._files:
            self._files[place] = None
            (self._folder / place).parent.mkdir(parents=True, exist_ok=True)
            with suppress(UsageError):
                copy(self._home, file, self._folder / place)
                self._files[place] = place
        return self._files[place]

    def _write_search(self) -> None:
        for name in ("style.css", "keys.js", "site.js", "icon.svg"):
            self._write(f"site/{name}", asset_bytes(name) or b"")
        for start in range(0, len(self._rows), _AT_ONCE):
            self._chunk(f"list{start // _AT_ONCE}", self._rows[start : start + _AT_ONCE])
        names = []
        for name, listed in self._index.chunks():
            self._chunk(f"words-{name}", listed)
            names.append(name)
        words = words_of(self._language)
        told = {key: words[key] for key in ("nothing", "hits", "more", "less")}
        self._chunk("about", {"count": len(self._rows), "rows": _AT_ONCE, "chunks": names, "words": told})
        self._write(
            "index.html", rendered("site.html", self._language, root="", count=len(self._rows)).encode()
        )

    def _chunk(self, name: str, told: object) -> None:
        text = json.dumps(told, ensure_ascii=True, separators=(",", ":"))
        self._write(f"site/search/{name}.js", f'chunk("{name}",{text});\n'.encode())

    def _write(self, place: str, body: bytes) -> None:
        path = self._folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
