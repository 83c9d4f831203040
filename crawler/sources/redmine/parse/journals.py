"""An issue's journals: each is a note, or changes of fields, or both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from crawler.json_document import JsonNode
from crawler.records import ChangeRecord, CommentRecord, Json
from crawler.sources.redmine.parse.names import ATTRIBUTES, Names
from crawler.sources.redmine.parse.texts import Texts
from crawler.sources.redmine.parse.values import listed, moment_of, name_of

_KNOWN: Final = frozenset({"id", "user", "notes", "created_on", "private_notes", "details"})
_PLACES: Final = {"parent_id": "parent", "child_id": "child"}
_KINDS: Final = {"attachment": "attachment", "relation": "relation"}


class Journals:
    """What the journals of one issue say.

    Args:
        names: of ids.
        fields: names of custom fields by their ids.
        texts: makes notes plain.
    """

    def __init__(self, names: Names, fields: Mapping[str, str], texts: Texts) -> None:
        self._names = names
        self._fields = fields
        self._texts = texts
        self.comments: list[CommentRecord] = []
        self.changes: list[ChangeRecord] = []
        self.others: dict[str, Json] = {}  # what has no field of a record, by the journal's id
        self.unread: list[str] = []  # times that cannot be read

    def add(self, journal: JsonNode) -> None:
        """Read one journal."""
        key = journal.at("id").key()
        author, moment = name_of(journal, "user"), self._moment(journal)
        notes = journal.optional_text("notes")
        if notes is not None and notes.strip():
            self.comments.append(
                CommentRecord(
                    source_id=key,
                    author=author,
                    content=self._texts.comment(key, notes),
                    commented_at=moment,
                    is_private=journal.flag("private_notes"),
                )
            )
        for number, detail in enumerate(listed(journal, "details"), start=1):
            self.changes.append(self._change(detail, f"{key}.{number}", author, moment))
        others = {name: value for name, value in journal.object().items() if name not in _KNOWN}
        if others:
            self.others[key] = others

    def _moment(self, journal: JsonNode) -> datetime | None:
        text = journal.optional_text("created_on")
        moment = moment_of(text) if text else None
        if text and moment is None:
            self.unread.append(text)
        return moment

    def _change(
        self, detail: JsonNode, source_id: str, author: str | None, moment: datetime | None
    ) -> ChangeRecord:
        kind, name = detail.at("property").text(), detail.at("name").key()
        return ChangeRecord(
            source_id=source_id,
            changed_by=author,
            changed_at=moment,
            change_type=_KINDS.get(kind, "field"),
            field_name=self._field(kind, name),
            old_value=self._value(kind, name, detail.find("old_value")),
            new_value=self._value(kind, name, detail.find("new_value")),
            description=f"attachment {name}" if kind == "attachment" else None,
        )

    def _field(self, kind: str, name: str) -> str:
        if kind == "attachment":
            return "attachment"
        if kind == "cf":
            told = self._fields.get(name) or (
                self._names.fields[name].name if name in self._names.fields else None
            )
            return told or f"custom field {name}"
        if kind == "attr":
            return ATTRIBUTES[name][0] if name in ATTRIBUTES else _PLACES.get(name, name)
        return name

    def _value(self, kind: str, name: str, node: JsonNode | None) -> str | None:
        if node is None:
            return None
        value = node.key() if not isinstance(node.value, bool) else str(node.value).lower()
        if kind == "cf":
            return self._names.of_field(name, value)
        if kind == "attr" and name in ATTRIBUTES:
            return self._names.name(ATTRIBUTES[name][1], value)
        return value
