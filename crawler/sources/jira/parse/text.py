"""Jira's texts as people read them: wiki markup of Server, documents of Cloud."""

from __future__ import annotations

from crawler.json_document import JsonNode
from crawler.markup import adf, wiki


def plain_of(node: JsonNode) -> str:
    """The plain text of a description, a comment or another long text."""
    return adf.plain(node.value) if isinstance(node.value, dict) else wiki.plain(node.text())
