"""From what somebody typed to what is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from crawler.errors import QueryError, UsageError
from crawler.query import LOW_CONFIDENCE, parse_direct, parse_query
from pipeline.search.question import SYNONYMS, ask
from pipeline.settings import Settings, read_settings

UNCLEAR = "timeout " + " ".join(f"not this{number}" for number in range(9)) + " 없는 것"


def test_other_words_make_a_wider_query_that_can_be_read_again(tmp_path: Path) -> None:
    question = ask("timeout -crash", Settings(), home=tmp_path)
    assert question.parsed.text == "timeout -crash"
    assert question.wider is not None
    wider = {clause.text for clause in parse_direct(question.wider).clauses}
    assert {"timeout", "타임아웃", "タイムアウト", "timed out"} <= wider
    assert "타임아웃" in question.others
    assert "크래시" not in question.others  # excluded, not looked for


@pytest.mark.parametrize("text", ["ORA-01555", "'connection timeout'", "+error +crash", "*", "348115"])
def test_a_question_that_has_no_other_words_is_asked_as_it_is(tmp_path: Path, text: str) -> None:
    question = ask(text, Settings(), home=tmp_path)
    assert (question.wider, question.others) == (None, ())


def test_exact_means_no_other_words(tmp_path: Path) -> None:
    (tmp_path / SYNONYMS).write_bytes(b"\xff")
    question = ask("timeout", Settings(), home=tmp_path, exact=True)
    assert (question.wider, question.others) == (None, ())
    with pytest.raises(UsageError, match=SYNONYMS):
        ask("timeout", Settings(), home=tmp_path)


def test_a_product_of_ones_own_is_recognised(tmp_path: Path) -> None:
    assert ask("crash in Wombat", Settings(), home=tmp_path).parsed.filters == {}
    asked = ask("crash in Wombat", Settings(), home=tmp_path, products=["Wombat"])
    assert asked.parsed.filters == {"product": "Wombat"}


def test_a_product_of_another_tracker_is_a_word(tmp_path: Path) -> None:
    known = ask("crash in Tibero", Settings(), home=tmp_path, has_product="Tibero".__eq__, exact=True)
    assert (known.parsed.text, known.parsed.filters) == ("crash", {"product": "Tibero"})
    other = ask("crash in Tibero", Settings(), home=tmp_path, has_product="JEUS".__eq__, exact=True)
    assert other.parsed.filters == {}
    assert other.parsed.text == "= crash Tibero"
    assert parse_query(other.parsed.text).tree == other.parsed.tree


def test_what_cannot_be_stored_is_replaced_and_nothing_is_no_question(tmp_path: Path) -> None:
    assert ask("a\udcffb", Settings(), home=tmp_path).original == "a\ufffdb"
    with pytest.raises(QueryError):
        ask("  ", Settings(), home=tmp_path)


def test_a_language_model_is_asked_only_where_the_rules_are_not_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, str | None]] = []

    def opinion(text, parsed, client):  # type: ignore[no-untyped-def]  # stands for ask_llm
        asked.append((client.url, client.model, client.key))
        return parse_query("timeout")

    monkeypatch.setattr("crawler.query.llm.ask_llm", opinion)
    settings = read_settings({"IMS_LLM_URL": "http://localhost:1/v1", "IMS_LLM_KEY": "canary"})
    assert "canary" not in repr(settings)
    assert parse_query(UNCLEAR).confidence < LOW_CONFIDENCE
    assert ask("에러와 크래시 찾아줘", settings, home=tmp_path).parsed.method == "rules"
    ask(UNCLEAR, Settings(), home=tmp_path)
    assert asked == []
    assert ask(UNCLEAR, settings, home=tmp_path).parsed.text == "timeout"
    assert asked == [("http://localhost:1/v1", settings.llm_model, "canary")]
