"""Reads the issues that were written for the stand-in from the TOML files beside it."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from crawler.sources.ims.standin.model import Action, Change, FieldChange, File, Form, Issue, Project

_OWN = frozenset(
    {"number", "title", "product", "status", "registered", "reporter", "description", "description_html"}
    | {"project", "comments", "history", "files", "related", "patches", "notice", "hidden_from", "form"}
)


@cache
def written_issues(*, broken: bool = False) -> tuple[Issue, ...]:
    """All written issues, by number.

    Args:
        broken: with those besides whose HTML is broken.
    """
    found = []
    for entry in sorted(
        files("crawler.sources.ims.standin").joinpath("issues").iterdir(), key=lambda entry: entry.name
    ):
        if entry.name.endswith(".toml") and (broken or entry.name != "broken.toml"):
            document = tomllib.loads(entry.read_text(encoding="utf-8"))
            projects = {name: Project(**project) for name, project in document.get("projects", {}).items()}
            found += [_issue(table, projects) for table in document["issue"]]
    return tuple(sorted(found, key=lambda issue: issue.number))


def _issue(table: Mapping[str, Any], projects: Mapping[str, Project]) -> Issue:
    number = table["number"]
    return Issue(
        number=number,
        title=table["title"],
        product=table["product"],
        status=table.get("status", ""),
        registered=table["registered"],
        reporter=table.get("reporter", ""),
        description=table.get("description", "").strip("\n"),
        description_html=table.get("description_html"),
        fields={header: value for header, value in table.items() if header not in _OWN},
        project=projects[table["project"]] if "project" in table else Project(),
        actions=tuple(
            _action(place, comment) for place, comment in enumerate(table.get("comments", ()), start=1)
        ),
        changes=tuple(_change(entry) for entry in table.get("history", ())),
        files=tuple(
            _file(number, place, entry) for place, entry in enumerate(table.get("files", ()), start=1)
        ),
        related=tuple(table.get("related", ())),
        patches=tuple(table.get("patches", ())),
        notice=table.get("notice", ""),
        hidden_from=frozenset(table.get("hidden_from", ())),
        form=Form(**table.get("form", {})),
    )


def _action(place: int, table: Mapping[str, Any]) -> Action:
    return Action(
        number=table.get("number", place),
        author=table["by"],
        at=table["at"],
        text=table.get("text", "").strip("\n"),
        html=table.get("html"),
    )


def _change(entry: Sequence[Any]) -> Change:
    at, by, *lines = entry
    return Change(at=at, by=by, lines=tuple(_line(line) for line in lines))


def _line(line: str | Sequence[str]) -> FieldChange | str:
    if isinstance(line, str):
        return line
    name, old, new = line
    return FieldChange(field=name, old=old, new=new)


def _file(issue: int, place: int, table: Mapping[str, str]) -> File:
    content = base64.b64decode(table["base64"]) if "base64" in table else table.get("text", "").encode()
    number = issue * 10 + place
    return File(
        number=number, name=table["name"], content=content, kind="PATCH" if "patch" in table else "ISSUE"
    )
