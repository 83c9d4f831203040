"""A language model's reading counts only where it is a query about the question."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from crawler.query import ParsedQuery, parse_query
from crawler.query.llm import LlmClient, ask_llm

QUESTION = "error and crash or hang in Tibero"
ADVISER = LlmClient(url="http://localhost:1/v1/", model="small", key="s3cret")


def ask(answer: Callable[[httpx.Request], httpx.Response]) -> ParsedQuery:
    return ask_llm(QUESTION, parse_query(QUESTION), ADVISER, transport=httpx.MockTransport(answer))


def says(content: str) -> httpx.Response:
    return httpx.Response(200, json={"choices": [{"message": {"content": content}}]})


def test_a_good_answer_replaces_the_words_and_keeps_the_filters() -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return says('{"query": "+error +crash hang"}')

    query = ask(answer)
    assert (query.text, query.method, query.filters) == ("+error +crash hang", "llm", {"product": "Tibero"})
    assert str(requests[0].url) == "http://localhost:1/v1/chat/completions"
    assert requests[0].headers["authorization"] == "Bearer s3cret"
    assert QUESTION in json.loads(requests[0].content)["messages"][1]["content"]


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
    query = ask(lambda request: response)
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
    def answer(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert "could not be reached" in ask(answer).explanation
