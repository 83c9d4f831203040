"""Atlassian's documents, as a person reads them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.markup.adf import plain


def doc(*content: Any) -> dict[str, Any]:
    return {"type": "doc", "version": 1, "content": list(content)}


def node(kind: str, *content: Any, **attrs: Any) -> dict[str, Any]:
    inside = [{"type": "text", "text": each} if isinstance(each, str) else each for each in content]
    return {"type": kind, "content": inside, "attrs": attrs}


def item(*content: Any) -> dict[str, Any]:
    return node("listItem", *content)


def linked(words: str, address: str) -> dict[str, Any]:
    return {"type": "text", "text": words, "marks": [{"type": "link", "attrs": {"href": address}}]}


@pytest.mark.parametrize(
    ("document", "read"),
    [
        (
            doc(node("heading", "Title"), node("paragraph", "one"), node("paragraph", "two")),
            "Title\none\ntwo",
        ),
        (doc(node("paragraph", "a", {"type": "hardBreak"}, "b")), "a\nb"),
        (
            doc(node("paragraph", node("mention", text="@Ada", id="1"), " ", node("mention", id="2"))),
            "@Ada 2",
        ),
        (
            doc(node("paragraph", node("emoji", shortName=":a:"), node("emoji", shortName=":b:", text="🙂"))),
            ":a:🙂",
        ),
        (
            doc(node("paragraph", node("date", timestamp="1709164800000"), node("date", timestamp="soon"))),
            "2024-02-29soon",
        ),
        (
            doc(
                node("blockCard", url="https://x/1"), node("paragraph", node("inlineCard", url="https://x/2"))
            ),
            "https://x/1\nhttps://x/2",
        ),
        (
            doc(node("paragraph", linked("here", "https://x/"), linked("https://y/", "https://y/"))),
            "here (https://x/)https://y/",
        ),
        (
            doc(
                node(
                    "bulletList",
                    item(node("paragraph", "a"), node("bulletList", item(node("paragraph", "b")))),
                )
            ),
            "- a\n  - b",
        ),
        (
            doc(node("orderedList", item(node("paragraph", "a")), item(node("paragraph", "b")), order=4)),
            "4. a\n5. b",
        ),
        (
            doc(node("taskList", node("taskItem", "do"), node("taskList", node("taskItem", "more")))),
            "- do\n  - more",
        ),
        (
            doc(
                node(
                    "table", node("tableRow", node("tableHeader", node("paragraph", "x")), node("tableCell"))
                )
            ),
            "x",
        ),
        (
            doc(node("panel", node("paragraph", "in")), node("expand", node("paragraph", "more"), title="T")),
            "in\nT\nmore",
        ),
        (
            doc(node("mediaSingle", node("media", alt="a.png")), node("mediaSingle", node("media", id="m"))),
            "a.png\nm",
        ),
        (doc(node("codeBlock", "int a;\n  int b;")), "int a;\n  int b;"),
        (doc(node("somethingNew", node("paragraph", "seen"))), "seen"),
        ("text", "text"),
        (None, ""),
        (doc(), ""),
    ],
)
def test_a_document_is_read(document: Any, read: str) -> None:
    assert plain(document) == read


KINDS = [
    "doc",
    "paragraph",
    "text",
    "bulletList",
    "orderedList",
    "listItem",
    "table",
    "tableRow",
    "media",
    "date",
]
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries(
            {"type": st.sampled_from([*KINDS, "mention", "expand", "hardBreak"]) | inner},
            optional={
                "content": st.lists(inner, max_size=3) | inner,
                "text": inner,
                "attrs": inner,
                "marks": inner,
            },
        )
        | st.dictionaries(st.sampled_from(["url", "text", "timestamp", "order", "href"]), inner, max_size=2)
    ),
    max_leaves=20,
)


@given(ANY)
def test_any_json_is_read(document: Any) -> None:
    assert isinstance(plain(document), str)


@pytest.mark.parametrize("kind", ["paragraph", "bulletList", "panel", "table", "listItem", "mention"])
def test_a_document_without_a_bottom_is_read_all_the_same(kind: str) -> None:
    document: Any = {"type": "text", "text": "here"}
    for _ in range(20_000):
        document = {"type": kind, "content": [document]}
    assert "here" in plain(doc(document))
    while "content" in document:  # taken apart, since Python frees what is nested by recursion
        document = document["content"].pop()
