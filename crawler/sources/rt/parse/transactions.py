"""A ticket's transactions: what was written, with its body, and what was changed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from crawler.errors import PageRejected
from crawler.html import LexborDocument
from crawler.json_document import JsonNode
from crawler.records import AttachmentRecord, ChangeRecord, CommentRecord, Json
from crawler.sources.rt.parse.names import Names
from crawler.sources.rt.parse.values import id_of, lines_of, moment_of, text_of

WRITTEN: Final = frozenset({"Create", "Correspond", "Comment"})
NOISE: Final = frozenset({"EmailRecord", "CommentEmailRecord"})  # copies of mail that RT sent about the rest
_KINDS: Final = {"Create": "created", "AddLink": "relation", "DeleteLink": "relation"}
_TICKET: Final = re.compile(r"fsck\.com-rt://[^/\s]+/ticket/([0-9]{1,10})")
_BODIES: Final = ("text/plain", "text/html")
_HOLDERS: Final = ("multipart/", "message/")  # of other parts, which are listed beside them


def key_of(transaction: JsonNode) -> str:
    """A transaction's number."""
    return transaction.at("id").key()


def type_of(transaction: JsonNode) -> str:
    """What kind of transaction it is."""
    return transaction.at("Type").text()


def written_in(transactions: Sequence[JsonNode]) -> list[str]:
    """The numbers of the transactions in which somebody wrote something."""
    return [key_of(each) for each in transactions if type_of(each) in WRITTEN]


def bodies_of(attachments: Sequence[JsonNode]) -> dict[str, list[str]]:
    """The numbers of the attachments that are the body of a transaction, by the transaction's number.

    Where mail says the same as plain text and as HTML, the plain text is it.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for each in attachments:
        media = _media_of(each)
        if media in _BODIES and text_of(each, "Filename") is None:
            kinds = found.setdefault(_transaction_of(each), {})
            kinds.setdefault(media, []).append(each.at("id").key())
    return {key: kinds.get("text/plain") or kinds["text/html"] for key, kinds in found.items()}


def files_of(attachments: Sequence[JsonNode], base: str) -> tuple[AttachmentRecord, ...]:
    """What is attached: whatever has a name, and what is neither text nor only holds other parts."""
    files = []
    for each in attachments:
        name, media = text_of(each, "Filename"), _media_of(each)
        if name is None and (media in _BODIES or media.startswith(_HOLDERS) or not media):
            continue
        key = each.at("id").key()
        if not (key.isascii() and key.isdecimal()):
            raise PageRejected("An attachment's id is no number.")
        size = text_of(each, "ContentLength")
        files.append(
            AttachmentRecord(
                source_id=key,
                filename=name or f"attachment {key}",
                file_type=media or None,
                file_size=int(size)
                if size and size.isascii() and size.isdecimal() and len(size) < 16
                else None,
                download_url=f"{base}/REST/2.0/attachment/{key}",
                author=id_of(each, "Creator"),
                attached_at=moment_of(text_of(each, "Created") or ""),
            )
        )
    return tuple(files)


class Bodies:
    """The texts of one ticket, plain, and what they were where that differs.

    Args:
        attachments: all that are of transactions in which something was written.
        contents: the attachments that are bodies, with what is in them.
    """

    def __init__(self, attachments: Sequence[JsonNode], contents: Sequence[JsonNode]) -> None:
        self._of = bodies_of(attachments)
        self._contents = {each.at("id").key(): each for each in contents}
        self._media = {each.at("id").key(): _media_of(each) for each in attachments}
        self.sources: dict[str, Json] = {}  # the HTML of each text that is made of it

    def text(self, transaction: str) -> str:
        """What was written in a transaction.

        Raises:
            PageRejected: its body was not brought.
        """
        return "\n\n".join(
            text for text in (self._plain(transaction, key) for key in self._of.get(transaction, ())) if text
        )

    def _plain(self, transaction: str, key: str) -> str:
        if key not in self._contents:
            raise PageRejected(f"The text of attachment {key[:12]} is missing.")
        content = lines_of(self._contents[key].optional_text("Content") or "")
        if self._media[key] != "text/html":
            return content.strip("\n")
        before = self.sources.get(transaction)
        self.sources[transaction] = content if not isinstance(before, str) else f"{before}\n{content}"
        return html_as_text(content)


def html_as_text(html: str) -> str:
    """What a reader sees of a text in HTML; the text itself where it is nested too deeply."""
    try:
        body = LexborDocument(html).select_one("body")
    except PageRejected:
        return html
    shown = "" if body is None else body.prose()
    return shown if shown.strip() else html


def comment_of(transaction: JsonNode, text: str) -> CommentRecord:
    """The comment that a transaction is."""
    return CommentRecord(
        source_id=key_of(transaction),
        author=id_of(transaction, "Creator"),
        content=text,
        commented_at=moment_of(text_of(transaction, "Created") or ""),
        is_private=type_of(transaction) == "Comment",
    )


def change_of(transaction: JsonNode, names: Names, fields: Mapping[str, str]) -> ChangeRecord:
    """The change that a transaction is.

    Args:
        transaction: one.
        names: of people and queues.
        fields: the names of custom fields by their numbers.
    """
    kind, field_name = type_of(transaction), text_of(transaction, "Field")
    old, new = (_value(transaction, name, field_name or "", names) for name in ("OldValue", "NewValue"))
    shown = field_name
    if kind == "CustomField" and field_name is not None:
        shown = fields.get(field_name, f"custom field {field_name}")
    told = text_of(transaction, "Data")
    has_field = shown is not None or (old, new) != (None, None)
    return ChangeRecord(
        source_id=key_of(transaction),
        changed_by=id_of(transaction, "Creator"),
        changed_at=moment_of(text_of(transaction, "Created") or ""),
        change_type=_KINDS.get(kind, "field" if has_field else "text"),
        field_name=shown or (kind if has_field else None),
        old_value=old,
        new_value=new,
        description=None if kind == "Create" else told if has_field else " ".join(filter(None, (kind, told))),
    )


def _value(transaction: JsonNode, name: str, field_name: str, names: Names) -> str | None:
    value = text_of(transaction, name)
    if value is None:
        return None
    link = _TICKET.fullmatch(value)
    return link[1] if link is not None else names.value(field_name, value)


def _media_of(attachment: JsonNode) -> str:
    return (text_of(attachment, "ContentType") or "").split(";")[0].strip().lower()


def _transaction_of(attachment: JsonNode) -> str:
    key = id_of(attachment, "TransactionId")
    if key is None:
        raise PageRejected(f"The answer has no {attachment.path}.TransactionId.")
    return key
