"""Searching from a shell: filters, other words, what is remembered, how hits are shown."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import pytest

from crawler.query import parse_query
from db import Attachment, Issue, Tracker
from tests.fixtures.schema import ALICE, BOB
from tests.fixtures.shell import Shell

pytestmark = pytest.mark.xdist_group("finding")


@pytest.fixture(autouse=True)
def shelf(shell: Shell) -> None:
    """Alice's issues from two trackers, and one of Bob's."""
    with shell.database.session(ALICE) as session:
        desk = Tracker(name="desk", kind="ims", base_url="http://localhost:1")
        trac = Tracker(name="trac", kind="trac", base_url="http://localhost:2")
        session.add_all(
            [
                Issue(
                    issue_id="7001",
                    tracker=desk,
                    title="Timeout while the server starts",
                    product="Tibero 7",
                    status="Assigned",
                    state="in_progress",
                    reporter="Kim Minsu",
                    registered_date=datetime(2026, 1, 10, tzinfo=UTC),
                    modified_date=datetime(2026, 3, 1, tzinfo=UTC),
                    url="http://localhost:1/issue?id=7001",
                    attachments=[Attachment(filename="start.log")],
                ),
                Issue(
                    issue_id="7002",
                    tracker=desk,
                    title="접속 타임아웃",
                    product="Tibero 6",
                    status="Closed",
                    state="done",
                    reporter="Sato",
                    registered_date=datetime(2026, 2, 10, tzinfo=UTC),
                    url="javascript:alert(1)",
                ),
                Issue(
                    issue_id="3",
                    tracker=trac,
                    title="Login timeout",
                    product="OpenStudio",
                    status="Verhext",
                    registered_date=datetime(2026, 2, 20, 23, 30, tzinfo=UTC),
                    attachments=[
                        Attachment(filename="gone.log", removed_at=datetime(2026, 3, 1, tzinfo=UTC))
                    ],
                ),
            ]
        )
    with shell.database.session(BOB) as session:
        session.add(
            Issue(
                issue_id="9",
                title="Bob's timeout",
                tracker=Tracker(name="bobs", kind="ims", base_url="http://localhost:3"),
            )
        )


def ids(shell: Shell, *arguments: str) -> list[str]:
    done = shell("search", *arguments, "--json")
    assert done.status == 0, done.err
    return [hit["issue_id"] for hit in done.document]


FILTERS = (
    (("--status", "open"), {"7001"}),
    (("--status", "CLOSED"), {"7002"}),
    (("--status", "verhext"), {"3"}),
    (("--since", "2026-02-20"), {"7001", "3"}),
    (("--since", "2026-02-20T23:31"), {"7001"}),
    (("--until", "2026-02-20"), {"7002", "3"}),
    (("--until", "2026-02-19"), {"7002"}),
    (("--reporter", "minsu"), {"7001"}),
    (("--reporter", "100%"), set()),
    (("--tracker", "trac"), {"3"}),
    (("--product", "tibero"), {"7001", "7002"}),
    (("--has-attachment",), {"7001"}),
    (("--tracker", "desk", "--status", "closed", "--since", "2026-02-01"), {"7002"}),
)


def test_each_filter_leaves_what_it_says(shell: Shell) -> None:
    for options, expected in FILTERS:
        assert set(ids(shell, "*", *options)) == expected, options


def test_what_the_question_says_of_state_product_and_time_filters_as_well(shell: Shell) -> None:
    assert ids(shell, "open Tibero issues with timeout") == ["7001"]
    assert ids(shell, "open Tibero issues with timeout", "--status", "closed") == ["7002"]
    assert ids(shell, "timeout in OpenStudio") == ["3"]
    assert ids(shell, "timeout since 2026-03-01") == ["7001"]
    assert set(ids(shell, "timeout until 2026-02-20", "--exact")) == {"3"}
    assert ids(shell, "timeout until 2026-02-19", "--exact") == []


def test_a_tracker_that_is_not_there_is_wrong_usage(shell: Shell) -> None:
    done = shell("search", "timeout", "--tracker", "bobs")
    assert (done.status, done.sentence()) == (2, "There is no tracker called 'bobs': see trackers list.")


def test_other_words_find_more_after_the_rest_and_are_shown(shell: Shell) -> None:
    done = shell("search", "timeout", "--json")
    assert [hit["issue_id"] for hit in done.document][2:] == ["7002"]
    ranks = [hit["rank"] for hit in done.document]
    assert ranks == sorted(ranks, reverse=True)
    assert "타임아웃" in done.err
    assert "--exact" in done.err
    exact = shell("search", "timeout", "--json", "--exact")
    assert {hit["issue_id"] for hit in exact.document} == {"7001", "3"}
    assert exact.err == ""
    assert ids(shell, "timeout", "--limit", "1", "--offset", "2") == ["7002"]


def test_a_table_of_ones_own_extends_the_synonyms(shell: Shell) -> None:
    (shell.home / "synonyms.txt").write_text("gnu, starts\n", encoding="utf-8")
    assert ids(shell, "gnu") == ["7001"]
    with shell.database.session(ALICE) as session:  # worth less than a title, and yet what was asked for
        session.add(Issue(issue_id="8", title="At the waterhole", description="Seen there: a gnu."))
    first, second = shell("search", "walrus okapi gnu", "--json").document
    assert (first["issue_id"], second["issue_id"]) == ("8", "7001")
    assert first["rank"] >= second["rank"]
    (shell.home / "synonyms.txt").write_bytes(b"\xff\xfe")
    assert "synonyms.txt" in shell("search", "gnu").sentence()


def test_filters_do_not_starve_the_limit(shell: Shell) -> None:
    with shell.database.session(ALICE) as session:
        session.add_all(
            [
                Issue(
                    issue_id=f"1{number:04}", title="common", status="rare" if number % 500 == 0 else "plain"
                )
                for number in range(2000)
            ]
        )
    assert len(ids(shell, "common", "--status", "rare", "--exact")) == 4
    done = shell("search", "common", "--exact", "--limit", "2")
    assert "--offset 2" in done.err


def test_every_search_is_remembered_with_what_it_found(shell: Shell) -> None:
    shell("search", "open Tibero issues with timeout")
    shell("search", "nothing-like-it")
    with shell.database.superuser() as connection:
        rows = connection.execute(
            "SELECT user_id, original_query, parsed_query, product, results_count, parsing_method, "
            "parsing_confidence FROM ims.search_queries ORDER BY query_id"
        ).fetchall()
    parsed = parse_query("open Tibero issues with timeout")
    assert rows == [
        (ALICE, "open Tibero issues with timeout", "timeout", "Tibero", 1, "rules", parsed.confidence),
        (ALICE, "nothing-like-it", "nothing-like-it", None, 0, "direct", 1.0),
    ]


def test_an_analyst_who_may_not_write_may_search(shell: Shell) -> None:
    done = shell("search", "timeout", "--exact", "--everybody", "--json", user="ana")
    assert done.status == 0, done.err
    assert len(done.document) == 3


def test_csv_has_the_keys_of_json_and_no_formula(shell: Shell) -> None:
    with shell.database.session(ALICE) as session:
        session.add(Issue(issue_id="=1+1", title=" =HYPERLINK(0)\x1b[2J", product="＠x", status="-5"))
    sheet = shell("search", "hyperlink", "--csv").out
    (row,) = csv.DictReader(io.StringIO(sheet))
    names = ["issue_id", "tracker", "title", "product", "status", "rank", "snippet", "url", "found_in"]
    assert list(row) == names
    assert [row["issue_id"], row["title"], row["product"], row["status"]] == [
        "'=1+1",
        "' =HYPERLINK(0)[2J",
        "'＠x",
        "'-5",
    ]
    (row,) = csv.DictReader(io.StringIO(shell("search", "hyperlink", "--csv", "--raw").out))
    assert row["title"] == " =HYPERLINK(0)[2J"
    assert shell("search", "hyperlink", "--csv", "--json").status == 2


@pytest.mark.parametrize("wanted", ["1", "7001"])
def test_a_hit_is_opened_by_its_place_or_its_number(shell: Shell, wanted: str, monkeypatch: Any) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    question = ("search", "+timeout +starts", "--open", wanted)
    assert shell(*question).out == "http://localhost:1/issue?id=7001\n"
    assert opened == []  # not on a terminal
    monkeypatch.setattr("cli.search_results.sys.stdout.isatty", lambda: True)
    shell(*question)
    assert opened == ["http://localhost:1/issue?id=7001"]


def test_an_address_that_is_not_of_the_web_is_not_opened(shell: Shell) -> None:
    for issue in ("7002", "3"):
        done = shell("search", "*", "--open", issue)
        assert (done.status, done.out) == (2, "")
    assert "does not exist" in shell("search", "*", "--open", "4").sentence()
    assert "does not exist" in shell("search", "*", "--open", "-1").sentence()


def test_an_unclear_question_is_confirmed_on_a_terminal_only(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    unclear = "timeout " + " ".join(f"not this{number}" for number in range(9)) + " 없는 것"
    assert parse_query(unclear).confidence < 0.7
    done = shell("search", unclear)
    assert done.status == 0
    assert "The question is not clear" in done.err
    assert "Not sure" not in shell("search", unclear, "--yes").err
    answers = iter([True, False])
    asked: list[str] = []
    monkeypatch.setattr("cli.confirm._on_a_terminal", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda text, **_: asked.append(text) or next(answers))
    assert shell("search", unclear).status == 0
    assert shell("search", unclear).status == 2
    assert shell("search", unclear, "--yes").status == 0
    assert len(asked) == 2
