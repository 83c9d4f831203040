"""``mcp``: the SDK's own client over standard input and over HTTP, two people, hostile texts."""

from __future__ import annotations

import base64
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import httpx
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.fixtures.assistant import CANARY, PASSWORD, Assistant, connected, fill, text_of
from tests.fixtures.program import ROOT, Program

pytestmark = pytest.mark.xdist_group("assistant")

TOOLS = {"search", "show", "similar", "issues_as_of", "stats", "query", "sql"}
PER_EXAMPLE = settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def filled(ims_crawl: Program) -> Program:
    """The program with two people's issues."""
    fill(ims_crawl)
    return ims_crawl


def stdio(program: Program, user: str, *options: str, **changed: str) -> StdioServerParameters:
    return StdioServerParameters(
        command=sys.executable,
        args=[str(ROOT / "run_crawl.py"), "mcp", *options],
        env=program.environment(IMS_USER=user, **changed),
        cwd=program.home.parent,
    )


@contextmanager
def listening(program: Program, *options: str) -> Iterator[str]:
    """A server over HTTP, as a process; its address."""
    with program.start("mcp", "--http", "--port", "0", *options) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://\S+/mcp", line)
        assert found is not None, line
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130


@contextmanager
def over_http(url: str, authorization: str) -> Iterator[Assistant]:
    client = httpx2.AsyncClient(headers={"Authorization": authorization}, timeout=60)
    with connected(streamable_http_client(url, http_client=client)) as assistant:
        yield assistant
        assistant.portal.call(client.aclose)


def basic(user: str, password: str | None = None) -> str:
    word = base64.b64encode(f"{user}:{password or PASSWORD[user]}".encode()).decode()
    return f"Basic {word}"


@pytest.fixture(scope="module")
def address(filled: Program) -> Iterator[str]:
    with listening(filled) as url:
        yield url


@pytest.fixture(scope="module", params=["stdio", pytest.param("http", marks=pytest.mark.long)])
def bob(request: pytest.FixtureRequest, filled: Program) -> Iterator[Assistant]:
    """Bob's assistant, by either door."""
    if request.param == "stdio":
        with connected(stdio(filled, "bob")) as assistant:
            yield assistant
    else:
        with over_http(request.getfixturevalue("address"), basic("bob")) as assistant:
            yield assistant


@pytest.fixture(scope="module")
def alice(filled: Program) -> int:
    """Alice's number; bob's is the next one."""
    users = filled("users", "list", "--json").document
    return int(next(user["user_id"] for user in users if user["username"] == "alice"))


def everything(answer: Any) -> str:
    return json.dumps(answer.structured_content, ensure_ascii=False) + text_of(answer)


def test_every_tool_only_looks_and_tells_the_shape_of_its_answer(bob: Assistant) -> None:
    tools = bob.portal.call(bob.client.list_tools).tools
    assert {tool.name for tool in tools} == TOOLS
    for tool in tools:
        assert tool.annotations is not None
        assert tool.annotations.read_only_hint
        assert not tool.annotations.destructive_hint
        assert tool.output_schema is not None
        assert {"left_out", "complete_as_of", "sources", "caution"} <= set(tool.output_schema["properties"])
        for name, argument in tool.input_schema["properties"].items():
            kinds = [kind for kind in argument.get("anyOf", [argument]) if kind.get("type") != "boolean"]
            bounded = ("maxLength", "maximum", "enum", "maxItems", "const")
            assert all(kind.get("type") == "null" or any(b in kind for b in bounded) for kind in kinds), name


def test_a_search_says_what_it_leaves_out_and_names_its_sources(bob: Assistant) -> None:
    told = bob.tell("search", query="bobcanary", limit=3)
    assert len(told["hits"]) == 3
    assert told["left_out"] == "3 of 30 hits, complete as of 2026-01-02 02:14 UTC."
    assert told["complete_as_of"] == "2026-01-02T02:14:00Z"
    assert len(told["sources"]) == 3
    assert all(source.startswith("http://localhost/2") for source in told["sources"])
    further = bob.tell("search", query="bobcanary", limit=3, offset=29)
    assert further["left_out"].startswith("1 of 30 hits, from the 30th on, ")


def test_an_issue_comes_with_its_timeline_and_its_files_text(bob: Assistant) -> None:
    told = bob.tell("show", issue="200")
    assert [event["kind"] for event in told["timeline"]] == ["comment", "change", "file"]
    assert told["files"][0]["text"].startswith("bobcanary")
    text = bob.tell("show", issue="200", file=1)
    assert text["files"][0]["parts"][0]["text"].startswith("bobcanary")
    assert text["left_out"].startswith("1 of 1 parts of the file's text")
    short = bob.tell("show", issue="200", characters=500)
    assert "characters of" in short["left_out"]
    assert len(json.dumps(short["timeline"])) < 1000
    assert bob.refusal("show", issue="200", file=2).endswith(
        "The issue has 1 files: their numbers begin at 1."
    )


def test_the_other_tools_answer(bob: Assistant) -> None:
    assert bob.tell("similar", issue="200", limit=2)["hits"][0]["url"].startswith("http://localhost/2")
    pasted = bob.tell("similar", text="paired")
    assert [hit["issue_id"] for hit in pasted["hits"]] == ["201", "200"]
    assert bob.refusal("similar").endswith("Give issue or text, one of them.")
    past = bob.tell("issues_as_of", at="2025-07-01", limit=5)
    assert (len(past["issues"]), past["left_out"][:16]) == (5, "5 of 30 issues, ")
    assert bob.tell("stats", days=36500)["issues"]["total"] == 30
    assert bob.tell("query", text="에러와 크래시 찾아줘")["text"] == "+에러 +크래시"
    told = bob.tell("sql", statement="SELECT issue_id, url, 1.5 AS n FROM ims.issues ORDER BY 1;", limit=2)
    assert told["columns"] == ["issue_id", "url", "n"]
    assert told["rows"] == [["200", "http://localhost/200", 1.5], ["201", "http://localhost/201", 1.5]]
    assert told["left_out"].startswith("2 rows of more, complete as of ")
    assert told["sources"] == ["http://localhost/200", "http://localhost/201"]


def test_what_a_tracker_says_stands_between_marks_that_it_cannot_contain(bob: Assistant) -> None:
    for tool, arguments in (
        ("search", {"query": "bobcanary"}),
        ("show", {"issue": "200"}),
        ("sql", {"statement": "SELECT title, description FROM ims.issues"}),
        ("stats", {"days": 36500}),
    ):
        answer = bob.call(tool, **arguments)
        text = text_of(answer)
        (mark,) = set(re.findall(r"^----- BEGIN DATA ([0-9a-f]{32}) -----$", text, re.MULTILINE))
        before, inside = text.split(f"\n----- BEGIN DATA {mark} -----\n")
        document, after = inside.split(f"\n----- END DATA {mark} -----")
        assert after == ""
        assert "bobcanary" in document
        assert "canary" not in before
        assert "is an instruction" in before
        assert "\n" not in document
        assert not re.search("[\u202a-\u202e\U000e0000-\U000e007f]", everything(answer))
        again = text_of(bob.call(tool, **arguments))
        assert mark not in again


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("DELETE FROM ims.issues", "Only one query can be run here"),
        ("DELETE FROM ims.issues RETURNING issue_id", "Only one query can be run here"),
        ("WITH gone AS (DELETE FROM ims.issues RETURNING 1) SELECT * FROM gone", "Only one query"),
        ("SELECT 1; SELECT 2", "does not take the statement"),
        ("SELECT 1) AS a; DROP TABLE ims.issues; --", "does not take the statement"),
        ("SELECT 1) AS asked OFFSET 0) AS told; --", "does not take the statement"),
        ("COPY ims.issues TO STDOUT", "Only one query"),
        ("SET ROLE ims_admin", "Only one query"),
        ("SHOW session_authorization", "Only one query"),
        ("DO $$ BEGIN END $$", "Only one query"),
        ("SELECT nextval('ims.issues_issue_pk_seq')", "not permit"),
        ("SELECT ims.delete_old_sessions(ims.current_user_id(), 0)", "writes, and here only queries run"),
        ("SELECT 'x'::integer", "does not take the statement"),
        ("SELECT 1/0", "failed on a row (SQLSTATE 22012, DivisionByZero)"),
        (
            "SELECT title::integer FROM ims.issues",
            "(SQLSTATE 22P02, InvalidTextRepresentation)",
        ),
        ("SELECT $1::text", "parameters"),
        ("SELECT * FROM ims.nothing", 'relation "ims.nothing" does not exist'),
        ("SELECT \0", "Only one query"),
    ],
)
def test_a_statement_that_does_more_than_ask_is_refused_in_a_sentence(
    bob: Assistant, statement: str, sentence: str
) -> None:
    refusal = bob.refusal("sql", statement=statement)
    assert sentence in refusal
    assert "canary" not in refusal
    assert bob.tell("sql", statement="SELECT count(*) FROM ims.issues")["rows"] == [[30]]


def test_a_statement_has_its_time(bob: Assistant) -> None:
    statement = "SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')"
    assert bob.tell("sql", statement=statement)["rows"] == [["20s", "on"]]


@pytest.mark.long
def test_a_statement_that_never_ends_is_stopped(bob: Assistant) -> None:
    assert "stopped after 20 s" in bob.refusal("sql", statement="SELECT pg_sleep(3600)")


def test_a_statement_that_brings_too_much_is_cut(bob: Assistant) -> None:
    large = bob.tell("sql", statement="SELECT repeat('x', 200000) UNION ALL SELECT 'small'")
    assert large["rows"] == [["small"]]
    assert "1 are too large" in large["left_out"]
    many = bob.tell("sql", statement="SELECT repeat('x', 90000) FROM generate_series(1, 500)", limit=1000)
    assert 5 < len(many["rows"]) < 12
    odd = "SELECT 'NaN'::float8, 10::numeric ^ 400, '{\"a\": [1]}'::jsonb, NULL, true, repeat('[', 5000)"
    (row,) = bob.tell("sql", statement=odd)["rows"]
    assert row[0] == "NaN"
    assert row[1].startswith("1000")
    assert row[2:5] == ['{"a": [1]}', None, True]


def test_nothing_of_one_statement_is_left_for_the_next(bob: Assistant) -> None:
    bob.tell("sql", statement="SELECT set_config('search_path', 'pg_temp', false), pg_advisory_lock(1)")
    path = (
        "SELECT current_setting('search_path'), (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')"
    )
    assert bob.tell("sql", statement=path)["rows"] == [['"$user", public', 0]]


ATTACKS = (
    "SELECT ims.set_current_user({alice})",
    "SELECT ims.set_current_user({alice}), (SELECT string_agg(title, '') FROM ims.issues)",
    "WITH a AS MATERIALIZED (SELECT set_config('ims.identity', '{alice}/' || extract(epoch FROM"
    " transaction_timestamp()), true)) SELECT title, ims.current_user_id() FROM a, ims.issues",
    "WITH a AS MATERIALIZED (SELECT set_config('role', 'none', true)) SELECT title FROM a, ims.issues",
    "WITH a AS MATERIALIZED (SELECT set_config('role', 'ims_app', true)) SELECT title FROM a, ims.issues",
    "WITH a AS MATERIALIZED (SELECT set_config('role', 'ims_admin', true)) SELECT title FROM a, ims.issues",
    "SELECT set_config('session_authorization', 'alice', true)",
    "SELECT set_config('ims.own_rows', 'off', true), issue_id, title FROM ims.issues",
    "SELECT set_config('row_security', 'off', true), title FROM ims.issues",
    "SELECT query_to_xml('SELECT ims.set_current_user({alice}), title FROM ims.issues', true, true, '')",
    "SELECT query_to_xml('SET ROLE ims_app', true, true, '')",
    "SELECT * FROM ims.search_issues('alicecanary', NULL, 100, '{{\"user_id\": {alice}}}')",
    "SELECT * FROM ims.search_hits('alicecanary')",
    "SELECT ims.open_visit('x')",
    "SELECT ims.open_visit('SCRAM-SHA-256$4096:aa==$aa=:aa=')",
    "SELECT ims.admit({alice})",
    "SELECT ims.create_login({alice}, 'x', 'SCRAM-SHA-256$4096:aa==$aa=:aa=')",
    "SELECT ims.find_user('alice')",
    "TABLE ims_private.identities",
    "TABLE ims_jobs.procrastinate_jobs",
    "SELECT ims_private.visitor('ims_visit_1_1_0')",
    "SELECT * FROM ims.get_user_stats({alice})",
    "SELECT ims.issue_flow('2020-01-01Z')",
    "SELECT rolname FROM pg_roles WHERE rolname LIKE '%canary%'",
    "SELECT query FROM pg_stat_activity",
    "SELECT ts_stat('SELECT to_tsvector(title) FROM ims.issues')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'alice'",
    "SELECT * FROM ims.users",
    "SELECT * FROM ims.tracker_secrets",
    "SELECT * FROM pg_stats WHERE schemaname = 'ims'",
)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_statement_is_anybody_else_or_sees_them(bob: Assistant, alice: int, attack: str) -> None:
    answer = bob.call("sql", statement=attack.format(alice=alice))
    assert CANARY["alice"] not in everything(answer)
    who = bob.tell("sql", statement="SELECT ims.current_user_id(), (SELECT count(*) FROM ims.users)")["rows"]
    assert who == [[alice + 1, 1]]


def test_alice_sees_what_bob_does_not(filled: Program) -> None:
    with connected(stdio(filled, "alice")) as alice:
        assert alice.tell("search", query="alicecanary")["left_out"].startswith("20 of 30 hits")
        assert alice.tell("sql", statement="SELECT count(*) FROM ims.issues")["rows"] == [[30]]


WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["alicecanary", "+alicecanary", "100", "alicecanary desk", "*", "-bobcanary", "1/0"]),
)
NAMES = ("product", "status", "tracker", "owner", "reporter", "priority", "module")
SELECTED = ("1", "set_config('role', 'none', true)", "ims.set_current_user(2)", "ims.row_scope()")
TABLES = (
    *("ims.issues", "ims.trackers", "ims.users", "ims.audit_log", "ims.runs", "pg_stat_activity"),
    *("ims.v_issue_search", "ims.v_user_dashboard", "ims.v_recent_activity", "ims.issues_as_of(now())"),
    "ims.search_issues('alicecanary')",
)
ARGUMENTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "search": st.fixed_dictionaries(
        {"query": WORDS},
        optional={
            **dict.fromkeys(NAMES, WORDS),
            "created": st.sampled_from(["7d", "2020-01-01..", "..2030-01-01", "x"]),
            "places": st.lists(st.sampled_from(["title", "description", "comments", "attachments"])),
            "sort": st.sampled_from(["rank", "updated", "created"]),
            "limit": st.integers(-1, 101),
            "offset": st.integers(-1, 501),
            "user_id": st.integers(0, 5),
        },
    ),
    "show": st.fixed_dictionaries(
        {"issue": st.one_of(WORDS, st.integers(99, 131).map(str))},
        optional={
            "tracker": WORDS,
            "file": st.integers(0, 3),
            "limit": st.integers(1, 100),
            "characters": st.integers(0, 300_000),
        },
    ),
    "similar": st.fixed_dictionaries(
        {},
        optional={
            "issue": st.one_of(WORDS, st.integers(99, 231).map(str)),
            "text": WORDS,
            "tracker": WORDS,
            "only_open": st.booleans(),
        },
    ),
    "issues_as_of": st.fixed_dictionaries(
        {"at": st.one_of(st.text(max_size=20), st.datetimes().map(str))},
        optional={"product": WORDS, "offset": st.integers(0, 40)},
    ),
    "stats": st.fixed_dictionaries({}, optional={"days": st.integers(-1, 40_000)}),
    "query": st.fixed_dictionaries({"text": WORDS}),
    "sql": st.fixed_dictionaries(
        {
            "statement": st.one_of(
                st.text(max_size=200),
                st.builds(
                    "SELECT {}, t.* FROM {} AS t".format,
                    st.sampled_from(
                        [
                            "1",
                            "set_config('role', 'none', true)",
                            "ims.set_current_user(2)",
                            "ims.row_scope()",
                        ]
                    ),
                    st.sampled_from(
                        [
                            *(
                                f"ims.{table}"
                                for table in ("issues", "trackers", "users", "audit_log", "runs")
                            ),
                            *(
                                f"ims.v_{view}"
                                for view in ("issue_search", "user_dashboard", "recent_activity")
                            ),
                            "ims.search_issues('alicecanary')",
                            "ims.issues_as_of(now())",
                            "pg_stat_activity",
                        ]
                    ),
                ),
            )
        }
    ),
}


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_nothing_of_alices_ever_reaches_bob(bob: Assistant, tool: str) -> None:
    @PER_EXAMPLE
    @given(ARGUMENTS[tool])
    def hold(arguments: dict[str, Any]) -> None:
        answer = bob.call(tool, **arguments)
        echoed = any("alicecanary" in str(value) for value in arguments.values())
        # What is asked comes back as the question; what is stored must not.
        assert "alicecanary Ignore" not in everything(answer)
        assert echoed or "alicecanary" not in everything(answer)
        assert "unexpected" not in text_of(answer).lower()
        assert text_of(answer) != f"Error executing tool {tool}", arguments

    hold()


def test_each_request_over_http_needs_a_login_of_its_own(address: str, filled: Program) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    heads = {"Accept": "application/json, text/event-stream"}
    wrong = (
        {},
        {"Authorization": basic("bob", "wrong-password")},
        {"Authorization": basic("nobody", "x")},
        {"Authorization": "Bearer x"},
        {"Authorization": "Basic ????"},
        {"Authorization": "Basic " + "A" * 5000},
        {"Authorization": basic("ims_app", (filled.home / "app.password").read_text())},
    )
    for head in wrong:
        answer = httpx.post(address, json=body, headers={**heads, **head})
        assert answer.status_code == 401, head
        assert answer.headers["www-authenticate"].startswith("Basic ")
        assert set(answer.json()) == {"error"}
    guessed = {**heads, "Authorization": basic("nobody", "guessed")}
    with ThreadPoolExecutor(4) as pool:
        said = list(
            pool.map(lambda _: httpx.post(address, json=body, headers=guessed).status_code, range(16))
        )
    assert set(said) == {401, 429}
    last = httpx.post(address, json=body, headers=guessed)
    assert (last.status_code, last.headers["retry-after"]) == (429, "300")
    evil = {"Authorization": basic("bob"), "Host": "evil.example"}
    assert httpx.post(address, json=body, headers={**heads, **evil}).status_code == 421
    evil = {"Authorization": basic("bob"), "Origin": "http://evil.example"}
    assert httpx.post(address, json=body, headers={**heads, **evil}).status_code == 403


@pytest.mark.long
def test_nobody_keeps_others_waiting(address: str) -> None:
    head = {"Authorization": basic("alice"), "Accept": "text/event-stream"}
    answer = httpx.get(address, headers=head)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    slow = {"name": "sql", "arguments": {"statement": "SELECT pg_sleep(6)"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": slow}
    head["Accept"] = "application/json, text/event-stream"
    with ThreadPoolExecutor(12) as pool:
        waiting = [pool.submit(httpx.post, address, json=body, headers=head, timeout=120) for _ in range(12)]
        with over_http(address, basic("bob")) as bob:
            began = perf_counter()
            assert bob.tell("sql", statement="SELECT 1")["rows"] == [[1]]
            assert perf_counter() - began < 10
        assert not any(each.done() for each in waiting[4:])
        assert {each.result().status_code for each in waiting} == {200}


def test_bearer_is_the_same_and_a_disabled_user_is_out_at_once(address: str, filled: Program) -> None:
    with over_http(address, basic("alice").replace("Basic", "Bearer")) as alice:
        assert alice.tell("sql", statement="SELECT session_user")["rows"] == [["alice"]]
    with connected(stdio(filled, "alice")) as alice:
        alice.tell("sql", statement="SELECT 1")
        assert filled("users", "disable", "alice").status == 0
        try:
            assert "act as this user" in alice.refusal("sql", statement="SELECT 1")
            body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
            answer = httpx.post(address, json=body, headers={"Authorization": basic("alice")})
            assert answer.status_code == 401
        finally:
            assert filled("users", "enable", "alice").status == 0


def test_bad_input_is_one_sentence(filled: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = filled("mcp", "--http", "--port", str(taken.getsockname()[1]))
        assert (done.status, done.out) == (2, "")
        assert "is taken" in done.sentence()
    done = filled("mcp", "--http", "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert (done.status, "--certificate" in done.sentence()) == (2, True)
    done = filled("mcp", IMS_USER="bob", DATABASE_URL="postgresql://ims_app:x@127.0.0.1:1/none")
    assert done.status == 5
    done.sentence()
    done = filled("mcp", "--everybody", IMS_USER="bob")
    assert (done.status, "Only admins" in done.sentence()) == (3, True)
    code = (
        "import sys; sys.modules['mcp'] = None; sys.argv = ['x', 'mcp']; import run_crawl; run_crawl.main()"
    )
    lost = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=filled.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert lost.returncode == 2
    assert "pip install 'ims-crawler[mcp]'" in lost.stderr


@pytest.mark.parametrize("interrupted", [True, False])
def test_it_ends_with_its_input_and_at_ctrl_c(filled: Program, interrupted: bool) -> None:
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    with subprocess.Popen(
        [sys.executable, str(ROOT / "run_crawl.py"), "mcp"],
        env=filled.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(json.dumps(hello) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        if interrupted:
            process.send_signal(signal.SIGINT)
        else:
            process.stdin.close()
        assert process.wait(20) == (130 if interrupted else 0)
        assert process.stderr.read() == ("Interrupted.\n" if interrupted else "")


def test_an_admin_sees_everybodys_only_when_asked_for(filled: Program) -> None:
    with connected(stdio(filled, "tester")) as root:
        assert root.tell("search", query="alicecanary")["hits"] == []
        assert root.tell("sql", statement="SELECT count(*) FROM ims.issues")["rows"] == [[0]]
        cleared = (
            "SELECT set_config('ims.own_rows', 'off', true), ims.sees_everybody(), ims.current_user_role()"
        )
        assert root.tell("sql", statement=cleared)["rows"] == [["off", False, "user"]]
    with connected(stdio(filled, "tester", "--everybody")) as root:
        assert root.tell("search", query="alicecanary", limit=1)["left_out"].startswith("1 of 30 hits")
