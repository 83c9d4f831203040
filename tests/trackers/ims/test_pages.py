"""IMS pages made from records read back to those records; broken ones are refused, never half read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crawler.errors import Forbidden, NotFound, PageCut, PageRejected, UnknownProduct
from crawler.html import LexborDocument
from crawler.html.sanitize import closed
from crawler.records import CommentRecord, IssueRecord, State
from crawler.source import RawPage
from crawler.sources.ims.parse import (
    Product,
    find_products,
    is_login_page,
    issue,
    parse_account,
    parse_issue,
    parse_list,
    pieces,
    refusal_in,
)
from crawler.sources.ims.parse.download import template_in
from crawler.sources.ims.parse.history import changes_in
from crawler.sources.ims.parse.landmarks import find_landmarks

ZONE = ZoneInfo("Asia/Seoul")
URL = "http://ims.example/tody/ims/issue/issueView.do?issueId=7&menuCode=issue_search"
LINE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=20,
)
TEXT = st.lists(LINE, min_size=1, max_size=4).map("\n".join)
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2099, 1, 1)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
COMMENTS = st.lists(st.tuples(LINE, TIMES, TEXT), max_size=4).map(
    lambda entries: tuple(
        CommentRecord(source_id=str(place), number=place, author=author, content=content, commented_at=at)
        for place, (author, at, content) in enumerate(entries, start=1)
    )
)
RECORDS = st.builds(
    IssueRecord,
    issue_id=st.just("7"),
    url=st.just(URL),
    title=LINE,
    product=LINE,
    status=st.sampled_from(["Frobnicated", "閉鎖", "<b>"]),
    description=TEXT,
    registered_date=TIMES,
    comments=COMMENTS,
)


def show(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def shown(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def page_of(record: IssueRecord) -> str:
    fields = {
        "Subject": record.title,
        "Product": record.product or "",
        "Status": record.status or "",
        "Registered date": shown(record.registered_date),
    }
    rows = "".join(f"<tr><th>{name}</th><td>{show(value)}</td></tr>" for name, value in fields.items())
    comments = "".join(
        f'<div class="fieldset"><div class="legend"><span id="action_{comment.source_id}">Action No. '
        f"{comment.number} | Registrant : {show(comment.author or '')} | Registered date : "
        f'{shown(comment.commented_at)}</span></div><div id="comment_{comment.source_id}">'
        f'<div class="commDescTR">{show(comment.content)}</div></div></div>'
        for comment in record.comments
    )
    return (
        f'<html><body><span class="issueNumber">{record.issue_id}</span><table>{rows}</table>'
        f'<div id="IssueDescriptionDiv"><table><tr><td class="data">{show(record.description or "")}</td>'
        f'</tr></table></div><div id="CommentsDiv">{comments}</div></body></html>'
    )


@contextmanager
def in_pieces(size: int) -> Iterator[None]:
    """Pages of any size are read in pieces of about that many bytes."""
    with patch.object(issue, "LARGE", 0), patch.object(pieces, "PIECE", size):
        yield


def read(html: str | bytes) -> IssueRecord:
    body = html if isinstance(html, bytes) else html.encode()
    return parse_issue([RawPage(url=URL, body=body)], zone=ZONE)


def is_readable(record: IssueRecord) -> bool:
    # The separators of a heading are the tracker's own, nobody can tell them from those in a name.
    return not any(":" in (comment.author or "") for comment in record.comments)


@given(RECORDS.filter(is_readable))
@settings(max_examples=150, deadline=None)
def test_a_page_made_from_a_record_reads_back_to_it(record: IssueRecord) -> None:
    found = read(page_of(record))
    count = len(record.comments)
    assert found.warnings == ()
    assert (found.comments_announced, found.history_announced) == (count, 0)
    assert found.comments == record.comments
    assert (found.title, found.product, found.status) == (record.title, record.product, record.status)
    assert (found.description, found.registered_date) == (record.description, record.registered_date)
    assert found.state is State.UNKNOWN
    for size in (1, 400):
        with in_pieces(size):
            assert read(page_of(record)) == found


@given(st.binary(max_size=300))
@settings(deadline=None)
def test_any_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(PageRejected):
        read(body)
    with pytest.raises(PageRejected):
        parse_list(body.decode("latin-1"))


SAMPLE = page_of(
    IssueRecord(
        issue_id="7",
        title="Title",
        product="Tibero",
        status="Open",
        description="words\nand more",
        registered_date=datetime(2026, 1, 5, tzinfo=UTC),
        comments=tuple(
            CommentRecord(
                source_id=str(n),
                number=n,
                author="Kim",
                content=f"comment {n}",
                commented_at=datetime(2026, 1, n, tzinfo=UTC),
            )
            for n in (1, 2, 3)
        ),
    )
)
WHOLE = read(SAMPLE)
WHEN = datetime(2026, 1, 5, tzinfo=UTC)
HISTORY = (
    '<div id="HistoriesDiv"><table><tr class="data"><td>2026-01-05</td><td>Kim</td><td>a -&gt; b</td></tr>'
    '</table></div><div id="AttachesDiv"><a href="#" onclick="downloadFileNew(\'1\', \'ISSUE\')">a.log</a>'
    "</div></body>"
)


@pytest.mark.parametrize("end", range(0, len(SAMPLE) - len("</body></html>"), 7))
def test_a_page_that_is_cut_anywhere_is_told_as_cut(end: int) -> None:
    with pytest.raises(PageCut):
        read(SAMPLE[:end])


WRONG = [
    "</div>",
    "</td>",
    "</table>",
    "<div>",
    "<!--",
    "<textarea>",
    "<script>",
    "<table>",
    "</div></div><p>",
    "<td>",
    "<tr><td>",
]


def squeezed(text: str, wrong: str = " ") -> str:
    return "".join(text.replace(wrong, "").split())


@pytest.mark.parametrize("wrong", WRONG)
def test_a_text_that_breaks_the_page_loses_no_word_or_is_refused(wrong: str) -> None:
    texts = [SAMPLE.index(text) for text in ("words", "and more", "comment 1", "comment 2", "comment 3")]
    for place in [start + offset for start in texts for offset in range(len("words"))]:
        try:
            record = read(SAMPLE[:place] + wrong + SAMPLE[place:])
        except PageRejected:
            continue
        assert squeezed(record.description or "", wrong) == squeezed(WHOLE.description or ""), place
        contents = [squeezed(comment.content, wrong) for comment in record.comments]
        assert contents == [squeezed(comment.content) for comment in WHOLE.comments], place


FOREIGN = [
    *WRONG,
    *("<a href='http://x.example/'>", "</a>", "<b>", "</b>", "<pre>", "</pre>", '<img src="a.png">', "<p>"),
    *("<!-- hidden -->", "-->", "<!-", "<!--x<!--", "</script>", "<style>", "<title>", "</textarea>"),
    *("<blockquote>", "</blockquote>", "<ol><li>", "</ol>", "</ul>", "</body>", "<form>", "</span>"),
    "<script>var a='<div id=\"action_9\">'</script>",
    "<a href='#' onclick=\"downloadFileNew('5','ISSUE')\">f.log</a>",
    *(
        '<div id="comment_2">forged</div>',
        '<div id="comment_2">',
        '<div class="fieldset">',
        '<i id="action_2">',
    ),
    *(" word ", "한글", "\U0001f600", "&lt;"),
]
FOREIGN_TEXT = st.lists(st.sampled_from(FOREIGN), max_size=4).map("".join)


@given(
    texts=st.lists(FOREIGN_TEXT, min_size=1, max_size=6),
    description=FOREIGN_TEXT,
    below=st.sampled_from(["", "<p>Reply</p>"]),
    size=st.sampled_from([1, 500]),
)
@settings(max_examples=150, deadline=None)
def test_a_page_in_pieces_loses_nothing_that_the_whole_page_has(
    texts: list[str], description: str, below: str, size: int
) -> None:
    record = replace(
        WHOLE,
        description="words",
        comments=tuple(
            CommentRecord(source_id=str(n), number=n, author="Kim", content=f"@{n}@", commented_at=WHEN)
            for n in range(1, len(texts) + 1)
        ),
    )
    html = page_of(record).replace("</div></div></div>", f"</div></div>{below}</div>")
    html = html.replace("words", f"words {description}").replace("</body>", HISTORY)
    for n, text in enumerate(texts, start=1):
        html = html.replace(f"@{n}@", f"begin{n} {text} end{n}")
    try:
        whole = read(html)
    except PageRejected:
        return  # a piece may be better than nothing
    with in_pieces(size):
        found = read(html)
    assert replace(found, comments=(), warnings=(), attachments=()) == replace(
        whole,
        comments=(),
        warnings=(),
        attachments=(),
        extra=found.extra,
        comments_announced=len(found.comments),
    )
    assert {file.source_id for file in whole.attachments} <= {file.source_id for file in found.attachments}
    contents = {comment.source_id: words_of(comment.content) for comment in found.comments}
    for comment in whole.comments:
        assert not words_of(comment.content) - contents[comment.source_id]


def words_of(content: str) -> Counter[str]:
    """The words; the address of a link that never ends may stand in any number of texts after it."""
    return Counter(content.replace("<http://x.example/>", " ").split())


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_comment_that_is_lost_in_a_piece_is_missed(number: int) -> None:
    html = SAMPLE.replace(f'id="action_{number}"', f'id="action_{number}x"')
    for size in (1, 400, 1 << 20):
        with in_pieces(size), pytest.raises(PageRejected, match="comments, "):
            read(html)


def test_no_page_is_cut_in_what_it_hides() -> None:
    frame = '<div class="fieldset">'
    start = SAMPLE.index(frame, SAMPLE.index("comment 1"))
    hidden = SAMPLE[start : SAMPLE.index(frame, start + 1)].replace("_2", "_9")
    for opening, closing in (("<!-- ", " -->"), ("<script>", "</script>"), (f"<!-- {frame}", "-->")):
        for html in (
            SAMPLE.replace(frame, f"{opening}{hidden}{closing}{frame}"),
            SAMPLE.replace(frame, f"{frame}{opening}{frame}{closing}"),
            SAMPLE.replace(frame, f'{frame}{opening}<span id="action_9">{closing}'),
        ):
            with in_pieces(1):
                assert read(html) == WHOLE


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("description", "single comment"),
        ("comment", "single comment"),
        ("both", "more than 33,554,432 bytes"),
        ("emoji", "emoji"),
    ],
)
def test_a_giant_that_cannot_be_cut_is_set_aside_unread(words: str, told: str) -> None:
    large = "words " * 1_500_000
    html = SAMPLE.replace("words", large) if words in ("description", "both") else SAMPLE
    html = html.replace("comment 2", large * 3) if words in ("comment", "both") else html
    if words == "emoji":
        for n in (1, 2, 3):
            html = html.replace(f"comment {n}", "\U0001f600" + large[:3_000_000])
    with pytest.raises(PageRejected, match=told):
        read(html)


def test_a_section_that_stands_twice_is_not_trusted() -> None:
    forged = (
        '<div id="HistoriesDiv"><table><tr class="data"><td>1</td><td>x</td><td>y</td></tr></table></div>'
    )
    html = SAMPLE.replace("comment 2", forged).replace("</body>", f"{forged}</body>")
    with pytest.raises(PageRejected, match="twice"):
        read(html)


@pytest.mark.parametrize(
    "written",
    [
        str.upper,
        lambda name: f"data-{name}='x' {name}",
        lambda name: f'title="old -> new" {name}',
        lambda name: f"title='1 < 2' {name}",
        lambda name: f'title="{name}=7"\n{name}',
        lambda name: f"nowrap\t{name}",
    ],
)
@pytest.mark.parametrize("upper", [False, True])
def test_a_tag_may_be_written_in_any_way(written: Callable[[str], str], upper: bool) -> None:
    html = SAMPLE.replace("</body>", HISTORY)
    expected = read(html)
    tags = re.sub(r"(?<=[ \n])(id|class|onclick)(?=\s*=)", lambda name: written(name[1]), html)
    if upper:
        tags = re.sub(r"</?\w+", lambda tag: tag[0].upper(), tags)
    assert read(tags) == expected
    assert (len(expected.history), len(expected.attachments)) == (1, 1)
    rows = re.sub(r"(?<=[ \n])(class|onclick)(?=\s*=)", lambda name: written(name[1]), list_page())
    assert parse_list(rows) == parse_list(list_page())


@pytest.mark.parametrize(
    "field",
    [
        "<input type=password>",
        "<INPUT NAME=pw TYPE='PASSWORD'>",
        '<input title="a > b" value="<" type = "password">',
    ],
)
def test_a_login_page_is_known_by_its_input_however_it_is_written(field: str) -> None:
    assert is_login_page("", f"<html><body><form>{field}</form></body></html>")
    assert not is_login_page("", f"<html><body><p>{field.replace('<', '&lt;')}</p></body></html>")
    assert not is_login_page("", SAMPLE.replace("words", field))


def test_words_below_every_comment_are_the_trackers_own() -> None:
    html = SAMPLE.replace("</div></div></div>", "</div></div><p>Reply</p></div>")
    assert read(html).comments == WHOLE.comments
    assert read(html).warnings == ()


# the result list

ROW = (
    "<tr class=\"{kind}\" onclick=\"javascript:popBlankIssueView('{number}', 'issue_search');\">{cells}</tr>"
)


def list_page(
    total: str = "[ Total 1,234 ]", kind: str = "rowClickData", cell: str = "th", rows: int = 2
) -> str:
    headers = ("Subject", "Issue Number", "Issued Date")
    head = "".join(f"<{cell}>{header}</{cell}>" for header in headers)
    body = "".join(
        ROW.format(
            kind=kind,
            number=100 + n,
            cells=f"<td>a &amp; b [ Total 9 ]&nbsp;</td><td>{100 + n}</td><td>2026-01-05</td>",
        )
        for n in range(rows)
    )
    return (
        f"<html><body><input name=keyword value='[ Total 8 ]'><select id=\"productCodes\">"
        f'<option value="">all</option><option value="128">OpenFrame AIM</option></select>'
        f'<div>{total}</div><table><tr class="title">{head}</tr>{body}</table></body></html>'
    )


@pytest.mark.parametrize("kind", ["rowClickData", "data", "data even"])
@pytest.mark.parametrize("cell", ["th", "td"])
def test_a_row_is_read_by_its_headers(kind: str, cell: str) -> None:
    listing = parse_list(list_page(kind=kind, cell=cell))
    assert [row.issue_id for row in listing.rows] == ["100", "101"]
    assert listing.rows[0].columns == {
        "Subject": "a & b [ Total 9 ]",
        "Issue Number": "100",
        "Issued Date": "2026-01-05",
    }
    assert listing.products == (Product("128", "OpenFrame AIM"),)


@pytest.mark.parametrize(
    "total",
    [
        "[ Total 1,234 ]",
        "[Total <b>1234</b>]",
        "[ Total : 1234 ]",
        '<input type="hidden" id="totalCount" value="1234">',
        '<input type="hidden" name="totalCount" value="1,234">',
        "<script>var totalCount = 1234;</script>",
        '<script>page({"totalCount": "1234"})</script>',
        "[&nbsp;Total 1,234&nbsp;]",
        "[&#160;<b>To<i>tal</i></b>&nbsp;<!-- x -->:&#32;<span class='n'>1,234</span> ]",
        "&#91; Total&nbsp;&nbsp;1234 &#93;",
        "&lsqb; Total 1234 ] [ more ]",
        "<TABLE><TR><TD>[</TD><TD>Total</TD><TD>1,234</TD></TR></TABLE>",
        "[ 전체 1,234 건 ]",
        "[ 合計：1,234 ]",
        '<INPUT VALUE="1,234" TYPE=hidden NAME=totalCount><div>[ Total 1234 ]</div>',
    ],
)
def test_the_total_is_found_in_each_of_its_forms(total: str) -> None:
    assert parse_list(list_page(total)).total == 1234


@pytest.mark.parametrize(
    "total",
    [
        "<script>var totalCount = 0; totalCount = 1234;</script>",
        "<script>var totalCount = 7;</script>[ Total 1234 ]",
        '<input name="totalCount" value="5"><input id="totalCount" value="1234">',
        "[ Total 1.234 ]",
        "[ Total 1'234 ]",
        "[ Total 12,34 ]",
        "[ Total 1 ]",
        "<script>totalCount = 1.234;</script>",
        "<input name=keyword value='totalCount = 5'>",
        "<script>if (totalCount == 5) {}</script>",
    ],
)
def test_a_total_that_cannot_be_is_unknown(total: str) -> None:
    assert parse_list(list_page(total)).total is None


def test_a_row_without_a_number_is_no_row_of_a_list() -> None:
    page = list_page()
    assert [row.issue_id for row in parse_list(page.replace("popBlankIssueView('100'", "x('100'")).rows] == [
        "100",
        "101",
    ], "its column tells it too"
    with pytest.raises(PageRejected):
        parse_list(page.replace("popBlankIssueView('100'", "x('100'").replace("Issue Number", "Key"))


def test_a_header_or_a_cell_that_is_lost_shifts_no_column() -> None:
    for lost in ("<th>Subject</th>", "<td>2026-01-05</td>"):
        listing = parse_list(list_page().replace(lost, "", 1))
        assert [row.issue_id for row in listing.rows] == ["100", "101"]
        assert all(row.columns.get("Issue Number", row.issue_id) == row.issue_id for row in listing.rows)


def test_a_total_that_stands_in_a_subject_only_is_none() -> None:
    assert parse_list(list_page("")).total is None


def test_an_empty_list_is_a_list() -> None:
    listing = parse_list(list_page("[ Total 0 ]", rows=0))
    assert (listing.rows, listing.total) == ((), 0)


@pytest.mark.parametrize(
    "html",
    [
        "",
        "<html><body><p>error</p></body></html>",
        list_page()[:-20],
        list_page().replace("popBlankIssueView('", "open('").replace("Issue Number", "Key"),
    ],
    ids=["nothing", "an error", "cut", "rows without numbers"],
)
def test_what_is_no_whole_list_is_refused(html: str) -> None:
    with pytest.raises(PageRejected):
        parse_list(html)


@pytest.mark.parametrize("end", range(0, len(list_page()) - len("</html>"), 41))
def test_a_list_that_is_cut_anywhere_is_told_as_cut(end: int) -> None:
    with pytest.raises(PageCut):
        parse_list(list_page()[:end])


def test_rows_that_the_first_engine_swallows_are_read_by_the_second() -> None:
    listing = parse_list(list_page().replace("<td>100</td>", "<td><textarea></td>"))
    assert [row.issue_id for row in listing.rows] == ["100", "101"]


PRODUCTS = [Product("128", "OpenFrame AIM"), Product("520", "OpenFrame ASM"), Product("070", "Tibero")]


@pytest.mark.parametrize(
    ("wanted", "codes"),
    [
        ("OpenFrame", ["128", "520"]),
        (" openframe  aim ", ["128"]),
        ("tibero", ["070"]),
        ("Tib", ["070"]),
        ("520", ["520"]),
    ],
)
def test_a_product_is_found_by_name_beginning_or_code(wanted: str, codes: list[str]) -> None:
    assert [product.code for product in find_products(PRODUCTS, wanted)] == codes


@pytest.mark.parametrize(
    ("wanted", "near"), [("Tybero", "Tibero"), ("ASM", "OpenFrame ASM"), ("", "OpenFrame AIM")]
)
def test_an_unknown_product_is_answered_with_near_ones(wanted: str, near: str) -> None:
    with pytest.raises(UnknownProduct, match=near):
        find_products(PRODUCTS, wanted)


# pages in place of others

FORM = '<html><body><form><input name="id"><INPUT name=password TYPE=password></form></body></html>'


def test_the_login_page_is_known_by_its_address_or_its_password_input() -> None:
    assert is_login_page("http://x/tody/auth/login.do?a=1", "")
    assert is_login_page("http://x/tody/ims/issue/issueView.do", FORM)
    assert not is_login_page("http://x/tody/ims/issue/issueView.do?next=/auth/login", "<html></html>")


def test_an_issue_about_password_inputs_is_not_the_login_page() -> None:
    html = SAMPLE.replace("comment 2", '<input type="password">')
    assert not is_login_page(URL, html)
    assert not is_login_page(URL, list_page() + FORM)
    script = f"<script>var ids = ['IssueDescriptionDiv', \"<div id='CommentsDiv'>\"];</script>{FORM}"
    assert is_login_page(URL, script), "a script's words are no landmarks"


MENU = '<ul><li><a href="#">Permission</a></li><li><a href="#">Deleted issues</a></li></ul>'


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("존재하지 않는 이슈입니다. (The issue does not exist)", NotFound),
        ("見つかりません", NotFound),
        ("해당 이슈를 조회할 권한이 없습니다.", Forbidden),
        ("You have no permission", Forbidden),
        ("A temporary error", type(None)),
    ],
)
def test_an_error_page_says_what_it_means(words: str, kind: type) -> None:
    refusal = refusal_in(f"<html><body>{MENU}<div><p>{words}</p></div></body></html>")
    assert type(refusal) is kind


def test_an_issue_that_speaks_of_permissions_is_no_refusal() -> None:
    assert refusal_in(SAMPLE.replace("comment 2", "no permission, file not found")) is None


def test_the_account_is_read_from_hidden_inputs() -> None:
    page = LexborDocument('<input type="hidden" id="userName" value="김"><input name="userGrade" value="3">')
    account = parse_account(page, "kim")
    assert (account.user_id, account.user_name, account.user_grade) == ("kim", "김", "3")


# scripts and free words


@pytest.mark.parametrize(
    ("script", "template"),
    [
        ("function downloadFileNew(a, b) { location.href = '/d?x=' + a + '&y=' + b; }", "/d?x={id}&y={kind}"),
        ('function downloadFileNew(a, b) { window.open("/d/" + b + "/" + a); }', "/d/{kind}/{id}"),
        (
            "var ctx = '/tody';\ndownloadFileNew = function (a, b) { "
            "var u = ctx + '/f.do?i=' + encodeURIComponent(a); u += '&t=' + b; document.location = u; }",
            "/tody/f.do?i={id}&t={kind}",
        ),
        (
            "function downloadFileNew(a, b) { var f = document.f; f.id.value = a; f['k'].value = b; "
            "f.mode.value = 'x'; f.action = '/f.do'; f.submit(); }",
            "/f.do?id={id}&k={kind}&mode=x",
        ),
        (
            "function downloadFileNew(a, b) { if (b == 'PATCH') { x(); } $('#frame').src = '/f?' + a; }",
            "/f?{id}",
        ),
        ("function downloadFileNew(a, b) { location.href = base() + unknown + a; }", None),
        ("function downloadFileNew(a, b) { }", None),
        ("function other(a) { location.href = '/d?x=' + a; }", None),
        ("function downloadFileNew(", None),
    ],
)
def test_the_address_of_a_file_is_what_the_script_would_open(script: str, template: str | None) -> None:
    assert template_in(f"<html><script>{script}</script></html>") == template


@pytest.mark.parametrize("script", ["function downloadFileNew(a,b){" + "a" * 5000, "downloadFileNew(" * 2000])
def test_an_endless_script_is_read_in_no_time(script: str) -> None:
    started = datetime.now(UTC)
    template_in(script)
    assert datetime.now(UTC) - started < timedelta(seconds=2)


@given(LINE, LINE)
def test_a_change_is_taken_apart_or_kept_as_it_is(old: str, new: str) -> None:
    (change,) = changes_in(f"Field : {old} -> {new}")
    assert change.description == f"Field : {old} -> {new}"
    if change.change_type == "field":
        assert (change.field_name, change.old_value, change.new_value) == ("Field", old.strip(), new.strip())
    else:
        assert "→" in old + new or "->" in (old, new)


MARKUP = [
    "<script",
    "</script",
    "<!--",
    "-->",
    "<!",
    "--",
    "<SCRIPT",
    "<scr",
    "ipt>",
    "<textarea>",
    "</textarea>",
    "a",
]


@given(st.lists(st.sampled_from(MARKUP), max_size=12).map("".join))
def test_what_never_ends_is_seen_in_what_is_left_of_the_page(html: str) -> None:
    marks = find_landmarks(html)
    left = "<!--" in marks.html or "<script" in marks.html
    assert marks.unclosed == (left or closed(marks.html) != marks.html)
