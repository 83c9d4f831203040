"""What a ticket page tells as data: believed where it agrees with the page, and nothing that it hides."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crawler.records import ChangeRecord, IssueRecord
from crawler.source import RawPage
from crawler.sources.trac.parse.kept import without_hidden_addresses
from crawler.sources.trac.parse.ticket import ENGINES, parse_ticket

OPENED = "2022-02-05T03:05:06Z"
FIRST = 1_644_041_106_000_123  # 2022-02-05 06:05:06, in microseconds


def as_script(value: Any) -> str:
    """JSON as Trac writes it into a page."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return re.sub("[&<>]", lambda found: f"\\u{ord(found[0]):04x}", text)


def entry(fields: dict[str, tuple[Any, Any]], **more: Any) -> dict[str, Any]:
    """One change, as Trac tells it."""
    told = {
        name: {"old": old, "new": new, "label": name, "rendered": "x"} for name, (old, new) in fields.items()
    }
    history = {"0": {"author": "kim", "comment": "", "date": FIRST}}
    return {
        "author": "kim", "cnum": 1, "comment": "", "comment_history": history, "date": FIRST, "fields": told,
        "permanent": 1, **more,
    }  # fmt: skip


def ticket_page(
    *,
    values: dict[str, Any] | None = None,
    changes: list[dict[str, Any]] | None = None,
    properties: dict[str, str] | None = None,
    rows: dict[str, str] | None = None,
    body: str = "",
    author: str = "kim",
    edited: bool = False,
    script: str | None = None,
) -> RawPage:
    """The page of ticket 7 as Trac 1.6 lays it out, with one change of these rows."""
    stored = {
        "id": 7,
        "time": OPENED,
        "changetime": "2022-02-05T06:05:06Z",
        "owner": "lee",
        "reporter": "kim",
    }
    if script is None:
        told = as_script(changes or [])
        script = f"var old_values={as_script(stored | (values or {}))};\n      var changes={told};"
    cells = "".join(
        f'<th id="h_{name}">{name}:</th><td headers="h_{name}">{html}</td>'
        for name, html in (properties or {}).items()
    )
    changed = "".join(
        f'<tr class="trac-field-{name}"><th class="trac-field-{name}">{name}:</th><td>{html}</td></tr>'
        for name, html in (rows or {}).items()
    )
    comment = """<div class="comment searchable"><p>words</p></div>
<div class="trac-lastedit">Last edited now by <span class="trac-author">kim</span></div>"""
    change = f"""<div class="change" id="trac-change-1-{FIRST}"><h3 class="change">by
<span class="trac-author">{author}</span></h3>
<div class="trac-change-panel"><table class="changes">{changed}</table></div>
{comment if edited else ""}</div>"""
    count = 1 if rows or edited else 0
    html = f"""<!DOCTYPE html><html><head><title>#7 (A title) – Proj</title>
    <script>
      {script}
    </script></head><body><div id="main"><div id="content" class="ticket"><div id="ticket">
<div class="date"><p>Opened <span title="on 1/2/35">in 9 years</span></p></div>
<h2><a href="/ticket/7" class="trac-id">#7</a> <span class="trac-status">new</span></h2>
<h1><span class="summary">A title</span></h1><table class="properties"><tr>
<th id="h_reporter">Reported by:</th><td headers="h_reporter"><span class="trac-author">kim</span></td>
<th id="h_owner">Owned by:</th><td headers="h_owner">lee</td>{cells}
</tr></table>
<div class="description"><div class="searchable"><p>text</p>{body}</div></div></div>
<div><h3>Change History <span class="trac-count">({count})</span></h3>
<div id="changelog">{change if count else ""}</div>
</div></div></div></body></html>"""
    return RawPage(
        url="https://trac.example.org/ticket/7", body=html.encode(), content_type="text/html; charset=utf-8"
    )


def read(page: RawPage) -> IssueRecord:
    """Both engines read the same."""
    first, second = (parse_ticket(page, engines=[engine]) for engine in ENGINES)
    assert first == second
    return first


def only_change(page: RawPage) -> ChangeRecord:
    record = read(page)
    assert len(record.history) == 1
    return record.history[0]


def marked(old: str, new: str) -> str:
    return f'<span class="trac-field-old">{old}</span> → <span class="trac-field-new">{new}</span>'


@pytest.mark.parametrize(
    ("words", "old", "new", "expected"),
    [
        ("c d added; a removed", "a, b", 'b, c, "d e"', ("a, b", 'b, c, "d e"')),
        ("added removed added; k1 removed", "k1 k2", "k2, added removed", ("k1 k2", "k2, added removed")),
        ("gamma を追加", "x y", "x y gamma", ("x y", "x y gamma")),
        ("modified (<a href='/ticket/7?action=diff'>diff</a>)", "old\r\ntext", "new", ("old\ntext", "new")),
        ("解除", "1", "0", ("yes", "no")),
        ("gesetzt", None, "1", ("no", "yes")),
        (marked("0", "1"), "0", "1", ("0", "1")),
        (
            marked("May 6, 2022, 4:08:09 PM", "6. Mai 2023"), 1_651_820_889_000_000, 1_683_356_889_000_001,
            ("2022-05-06T07:08:09+00:00", "2023-05-06T07:08:09.000001+00:00"),
        ),
        (marked("a  b", "&lt;/script&gt;"), "a  b", "</script>", ("a  b", "</script>")),
    ],
)  # fmt: skip
def test_old_and_new_values_are_those_that_are_stored(
    words: str, old: Any, new: Any, expected: tuple[str, str]
) -> None:
    change = only_change(ticket_page(rows={"field": words}, changes=[entry({"field": (old, new)})]))
    assert (change.old_value, change.new_value, change.change_type) == (*expected, "field")
    assert change.changed_at == datetime(2022, 2, 5, 6, 5, 6, 123, tzinfo=UTC)
    assert change.description is None


def test_without_a_script_a_list_whose_words_are_ambiguous_has_no_values() -> None:
    for words in ("added removed added; k1 removed", "k2 added removed removed", 'c "d e" added'):
        change = only_change(ticket_page(rows={"keywords": words}, script="", properties={"keywords": "k2"}))
        assert (change.change_type, change.old_value, change.new_value) == ("text", None, None)
        assert change.description == words


def test_a_property_is_what_is_stored_not_what_the_session_calls_it() -> None:
    page = ticket_page(
        values={
            "checked": "1",
            "due": "2035-01-01T00:00:00Z",
            "tags": "x y",
            "cc": 'b, "d e"',
            "wiki": "''a''",
        },
        properties={
            "checked": "はい",
            "due": '<span title="on 1. Januar 2035">in 9 Jahren</span>',
            "tags": "<a>x</a>, <a>y</a>",
            "cc": "<a>b</a>, <a>\"d</a>, <a>e\"</a>",
            "wiki": "<i>a</i>",
        },
    )  # fmt: skip
    assert read(page).extra == {
        "checked": "yes",
        "due": "2035-01-01T00:00:00+00:00",
        "tags": "x y",
        "cc": 'b, "d e"',
        "wiki": "a",
    }


def test_a_time_without_the_timeline_or_still_to_come_is_known() -> None:
    record = read(ticket_page(values={"time": "2035-01-01T00:00:00Z"}))
    assert record.registered_date == datetime(2035, 1, 1, tzinfo=UTC)
    assert record.warnings == ()


def test_every_wording_of_a_comment_is_told() -> None:
    history = {
        str(version): {"author": author, "comment": text, "date": FIRST + version * 1_000_000}
        for version, (author, text) in enumerate(
            [("kim", f"wording {n}") for n in range(11)] + [("admin", "last")]
        )
    }
    record = read(ticket_page(edited=True, changes=[entry({}, comment_history=history)]))
    assert [(each.old_value, each.new_value) for each in record.history] == [
        *((f"wording {n}", f"wording {n + 1}") for n in range(10)),
        ("wording 10", "last"),
    ]
    assert record.history[-1].changed_by == "admin"
    assert record.history[-1].changed_at == datetime(2022, 2, 5, 6, 5, 17, 123, tzinfo=UTC)
    assert record.history_announced == 11


_FAKE = f"var old_values={{}};\nvar changes={as_script([entry({'priority': ('faked', 'faked')})])};"


@pytest.mark.parametrize(
    "body",
    [
        f"<script>\n{_FAKE}\n</script>",
        f"<pre>\n{_FAKE}\n</pre>",
        f"<div><head><script>\n{_FAKE}\n</script></head></div>",
    ],
)
def test_what_a_text_says_is_no_script(body: str) -> None:
    page = ticket_page(
        body=body,
        rows={"priority": marked("low", "high")},
        changes=[entry({"priority": ("low", "high")})],
        values={"notes": f"</script></head><script>\n{_FAKE}"},
    )
    change = only_change(page)
    assert (change.old_value, change.new_value) == ("low", "high")
    without = ticket_page(body=body, rows={"priority": marked("low", "high")}, script="")
    assert only_change(without).old_value == "low"


def test_of_a_script_that_tells_the_fields_alone_these_are_read() -> None:
    script = f'var old_values={{"id":7,"time":"2035-01-01T00:00:00Z","changetime":"{OPENED}"}};'
    record = read(ticket_page(rows={"priority": marked("low", "high")}, script=script))
    assert record.registered_date == datetime(2035, 1, 1, tzinfo=UTC)
    assert record.history[0].new_value == "high"
    assert record.warnings == ("The page's script tells no changes.",)


@pytest.mark.parametrize(
    "script",
    [
        "var changes=[];",
        "var old_values={};\nvar changes=[];",
        'var old_values={"id":8};\nvar changes=[];',
        'var old_values={"id":7};\nvar changes={};',
        'var old_values={"id":7};\nvar changes=[{"date":1e400,"fields":{},"comment_history":{}}];',
        'var old_values={"id":7};\nvar changes=[{"date":9999999999999999999,"fields":{}}];',
        'var old_values={"id":7};\n'
        'var changes=[{"date":9999999999999999999,"fields":{},"comment_history":{}}];',
        f'var old_values={{"id":7}};\nvar changes=[{"9" * 5000}];',
        f'var old_values={{"id":7}};\nvar changes={"[" * 5000};',
        'var old_values={"id":7};\nvar changes=[];\nvar changes=[];',
        'var old_values={"id":7};\nvar changes=[{"fields":{"a":{"old":[]}},"date":1,"comment_history":{}}];',
        'var old_values={"id":7};\nvar changes=[{"fields":{},"date":1,"comment_history":{"٣":{}}}];',
    ],
    ids=lambda script: script[:60],
)
def test_a_script_that_cannot_be_read_leaves_the_words_and_says_so(script: str) -> None:
    record = read(ticket_page(rows={"priority": marked("low", "high")}, script=script))
    assert (record.history[0].old_value, record.history[0].new_value) == ("low", "high")
    assert any("script is not used" in warning for warning in record.warnings)


def test_where_the_script_contradicts_the_words_the_words_count_with_a_warning() -> None:
    record = read(
        ticket_page(rows={"priority": marked("low", "high")}, changes=[entry({"priority": ("low", "top")})])
    )
    assert record.history[0].new_value == "high"
    assert record.warnings == ("The page's script and its words tell change 1 of priority differently.",)


_HIDDEN = ["whole@secret.example", "lee@secret.example", "old@secret.example", "kim@secret.example"]


def _leaky_page() -> RawPage:
    wordings = {
        "0": {"author": "kim@secret.example", "comment": "ask old@secret.example", "date": FIRST},
        "1": {"author": "kim@secret.example", "comment": "ask shown@example.org", "date": FIRST + 5},
    }
    return ticket_page(
        values={
            "reporter": "Hong <kim@secret.example>",
            "cc": "whole@secret.example; x y <lee@secret.example>",
        },
        properties={"cc": "whole@…, x y &lt;lee@…&gt;"},
        rows={"description": "modified", "owner": "lee@… removed"},
        author="kim@…",
        edited=True,
        body='<a href="mailto:shown@example.org">shown@example.org</a>',
        changes=[
            entry(
                {
                    "description": ("from old@secret.example to shown@example.org", "new"),
                    "owner": ("lee@secret.example", ""),
                },
                author="kim@secret.example",
                comment_history=wordings,
            )
        ],
    )


def test_an_address_that_the_page_hides_is_nowhere_in_the_record() -> None:
    record = read(_leaky_page())
    assert not any(address in repr(record) for address in (*_HIDDEN, "secret.example"))
    assert record.reporter == "Hong <kim@…>"
    assert record.extra["cc"] == "whole@…; x y <lee@…>"
    by_field = {each.field_name: each for each in record.history}
    assert by_field["description"].old_value == "from old@… to shown@example.org"
    assert by_field["owner"].old_value == "lee@…"
    assert by_field["owner"].changed_by == "kim@…"
    assert by_field["comment:1"].old_value == "ask old@…"


def test_nor_is_it_in_the_page_that_is_kept() -> None:
    page = _leaky_page()
    kept = without_hidden_addresses(page)
    assert b"secret.example" in page.body
    assert b"secret.example" not in kept.body
    assert read(kept) == read(page)
    assert without_hidden_addresses(kept) is kept


def test_a_page_without_a_hidden_address_is_kept_to_the_byte() -> None:
    page = ticket_page(
        values={"cc": "a@example.org"}, properties={"cc": '<a href="?cc=~a%40example.org">a@example.org</a>'}
    )
    assert without_hidden_addresses(page) is page
    assert read(page).extra["cc"] == "a@example.org"
    broken = replace(page, body=page.body.replace(b"Proj", b"Pr\xffj"))
    assert without_hidden_addresses(broken) is broken


def test_a_script_with_addresses_that_cannot_be_read_is_not_kept() -> None:
    page = ticket_page(script='var old_values={"id":7,"cc":"a@secret.example"};\nvar changes=[;')
    assert b"secret.example" not in without_hidden_addresses(page).body


_LOCAL = st.from_regex(r"[a-z][a-z0-9.+-]{0,8}", fullmatch=True)
_HOST = st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,6}(\.[a-z0-9]{1,5})?", fullmatch=True)
_ADDRESS = st.builds(lambda local, host: f"{local}@{host}.hidden.example", _LOCAL, _HOST)


@given(addresses=st.lists(_ADDRESS, min_size=1, max_size=4), words=st.text(max_size=20), people=st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_address_gets_through_wherever_it_stands(addresses: list[str], words: str, people: bool) -> None:
    text = words + " " + ", ".join(addresses) + " " + words
    field = "cc" if people else "notes"
    page = ticket_page(
        values={field: text}, rows={field: "changed"}, changes=[entry({field: (text, f"<{addresses[0]}>")})]
    )
    assert "hidden.example" not in repr(read(page))
    assert b"hidden.example" not in without_hidden_addresses(page).body


@given(old=st.text(), new=st.text(min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_through_as_it_is_stored(old: str, new: str) -> None:
    page = ticket_page(rows={"notes": "modified <a>diff</a>"}, changes=[entry({"notes": (old, new)})])
    change = only_change(page)

    def plain(text: str) -> str:
        return re.sub("[\ud800-\udfff\0]", "\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))

    if "@" not in old + new:
        assert (change.old_value, change.new_value) == (plain(old), plain(new))
