"""A language model's reading counts only where it is a query about the question."""

from __future__ import annotations

import json

import httpx
import pytest
import respx

from crawler.query import ParsedQuery, parse_query
from crawler.query.llm import LlmClient, ask_llm

QUESTION = "error and crash or hang in Tibero"
ADVISER = LlmClient(url="http://localhost:1/v1/", model="small", key="s3cret")


def ask(answer: httpx.Response | type[Exception]) -> tuple[ParsedQuery, httpx.Request]:
    """What is made of an answer, or of none, and what was asked for it."""
    with respx.mock(base_url="http://localhost:1/v1") as model:
        asked = model.post("/chat/completions").mock(side_effect=[answer])
        query = ask_llm(QUESTION, parse_query(QUESTION), ADVISER)
    return query, asked.calls.last.request


def says(content: str) -> httpx.Response:
    return httpx.Response(200, json={"choices": [{"message": {"content": content}}]})


def test_a_good_answer_replaces_the_words_and_keeps_the_filters() -> None:
    query, request = ask(says('{"query": "+error +crash hang"}'))
    assert (query.text, query.method, query.filters) == ("+error +crash hang", "llm", {"product": "Tibero"})
    assert str(request.url) == "http://localhost:1/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer s3cret"
    assert QUESTION in json.loads(request.content)["messages"][1]["content"]


@pytest.mark.parametrize(
    "response",
    [
        says('{"query": "+deadlock"}'),
        says('{"query": "+error \'crash"}'),
        says('{"query": ""}'),
        says('{"query": "*"}'),
        says('{"query": null}'),
        says("+error"),
        says("[" * 50_000),
        says(json.dumps({"query": "error " * 20_000})),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"choices": []}),
        httpx.Response(200, json=[1]),
        httpx.Response(500),
        httpx.Response(302, headers={"location": "http://elsewhere.example/"}),
    ],
)
def test_any_other_answer_leaves_the_rules_reading_and_says_so(response: httpx.Response) -> None:
    query, _ = ask(response)
    rules = parse_query(QUESTION)
    assert (query.tree, query.text, query.method, query.confidence) == (
        rules.tree,
        rules.text,
        "rules",
        rules.confidence,
    )
    assert "language model was no help" in query.explanation
    assert "s3cret" not in repr(query) + repr(ADVISER)


def test_nobody_there_leaves_the_rules_reading() -> None:
    assert "could not be reached" in ask(httpx.ConnectError)[0].explanation
