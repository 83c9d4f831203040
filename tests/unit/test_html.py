"""Both engines give the same text for the same page, and neither can be made to hang."""

from __future__ import annotations

import time
from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import PageRejected
from crawler.html import Document, LexborDocument, SoupDocument
from crawler.html.sanitize import MAX_CHARACTERS, MAX_TAGS, cleaned, closed, encoded, guarded

ENGINES = (LexborDocument, SoupDocument)
both = pytest.mark.parametrize("engine", ENGINES)
PAGE = '<html><body><div id="a" class="x y">{}</div><p id="b" title="">after</p></body></html>'


def text_of(engine: type[LexborDocument | SoupDocument], html: str) -> str:
    node = engine(PAGE.format(html)).select_one("#a")
    assert node is not None
    return node.text()


@both
@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("one<br><br>three", "one\n\nthree"),
        ("<p>one</p><p>two</p>", "one\ntwo"),
        ("<p>one</p>\n\n  <p>&nbsp;</p><p>two</p>", "one\n\ntwo"),
        ("<div>one<br></div><div>two</div>", "one\ntwo"),
        ("intro<ul><li>one</li><li>two</li></ul>end", "intro\none\ntwo\nend"),
        ("<ul><li>one<li>two</ul>", "one\ntwo"),
        (
            "<table><tr><td>a</td><td> b </td></tr><tr><th>c</th><td>d&nbsp;</td></tr></table>",
            "a\tb\nc\td",
        ),
        ("<pre>\n  code\n    more  spaces\n</pre>end", "  code\n    more  spaces\nend"),
        ("a <b>bold </b> <i>and</i> slanted", "a bold and slanted"),
        ("words \n\t in   rows", "words in rows"),
        ("one<br>\n&nbsp;&nbsp;indented&nbsp; x", "one\n  indented  x"),
        ("a<script>var x = '<br>';</script>b<style>p {}</style><!-- c -->", "ab"),
        ("&lt;b&gt; &amp;amp; &#44032; &#x1F600; &quot;q&quot;", '<b> &amp; 가 😀 "q"'),
        ("日本語と한국어 mixed", "日本語と한국어 mixed"),
        ("全角　空白", "全角　空白"),
        ("a\r\nb\rc", "a b c"),
        ("a\0b\x1b[31mc", "a\ufffdb\x1b[31mc"),
        ("\ud800lone", "\ufffdlone"),
        ("", ""),
        ("&nbsp;", ""),
        ("<textarea>\n a\n  b</textarea>", " a\n  b"),
    ],
)
def test_text_is_what_a_reader_sees(
    engine: type[LexborDocument | SoupDocument], html: str, text: str
) -> None:
    assert text_of(engine, html) == text


_DIFF = """<table class="trac-diff inline"><thead><tr><th>a.c</th><th>b.c</th></tr></thead>
<tbody class="unmod"><tr><th>6</th><th>6</th><td class="l"><span>start();</span>&nbsp;</td></tr></tbody>
<tbody class="mod"><tr><th>7</th><th>&nbsp;</th><td class="l">&nbsp;<del>stop();</del></td></tr>
<tr><th>&nbsp;</th><th>7</th><td class="r">&nbsp;<ins>wait();</ins></td></tr></tbody>
<tbody class="add"><tr><th>&nbsp;</th><th>8</th><td class="r">end();</td></tr></tbody></table>"""


@both
@pytest.mark.parametrize(
    ("html", "prose"),
    [
        (
            'see <a href="http://logs.example/a.log">the log</a> first',
            "see the log <http://logs.example/a.log> first",
        ),
        ('<a href="https://logs.example/x">https://logs.example/x</a>', "https://logs.example/x"),
        (
            '<a href="https://logs.example/%EA%B0%80">logs.example/가, https://logs.example/가</a>',
            "logs.example/가, https://logs.example/가",
        ),
        ('<a href="/ticket/8">#8</a> <a href="#top">up</a> <a href="javascript:go()">go</a>', "#8 up go"),
        ('ask <a href="mailto:kim@mail.example">Kim</a>', "ask Kim <kim@mail.example>"),
        ('as <img src="/raw-attachment/ticket/7/pic%201.png" alt="pic 1.png"> shows', "as [pic 1.png] shows"),
        ('<img src="/img/shot.png" alt="the error">', "[the error shot.png]"),
        ('<img src="https://pics.example/1.png">', "[https://pics.example/1.png]"),
        ('<img src="data:image/png;base64,AAAA" alt="drawn">', "[drawn]"),
        ('<a href="http://x.example/"><img src="y.gif"></a>', "[y.gif] <http://x.example/>"),
        (
            '<blockquote class="citation"><p>it\nfails</p><blockquote class="citation"><p>where?</p>'
            "</blockquote></blockquote><p>here</p>",
            "> it fails\n> > where?\nhere",
        ),
        ('<blockquote type="cite"><pre>\na\n  b\n</pre></blockquote>end', "> a\n>   b\nend"),
        ("<blockquote><p>only indented</p></blockquote>", "only indented"),
        (
            "<ol><li>open</li><li>look<ol type='a'><li>up</li><li>down</li></ol></li></ol>",
            "1. open\n2. look\na. up\nb. down",
        ),
        ("<ol start='9'><li><p>nine</p></li><li value='12'>twelve</li></ol>", "9. nine\n12. twelve"),
        ("<ol class='upperroman'><li>x<li>y<li>z<li>w</ol><ul><li>u</ul>", "I. x\nII. y\nIII. z\nIV. w\nu"),
        (_DIFF, " start();\n- stop();\n+ wait();\n+end();"),
    ],
)
def test_prose_has_what_only_the_markup_tells(
    engine: type[LexborDocument | SoupDocument], html: str, prose: str
) -> None:
    node = engine(PAGE.format(html)).select_one("#a")
    assert node is not None
    assert node.prose() == prose


@both
def test_prose_of_quotations_in_each_other_stays_short(engine: type[LexborDocument | SoupDocument]) -> None:
    html = "<blockquote class='citation'>" * 300 + "x<br>" * 2000 + "</blockquote>" * 300
    node = engine(PAGE.format(html)).select_one("#a")
    assert node is not None
    assert len(node.prose()) < 20 * len(html)


@both
def test_a_line_has_no_breaks(engine: type[LexborDocument | SoupDocument]) -> None:
    node = engine(PAGE.format(" one <br> two\n<p>three&nbsp;</p>")).select_one("#a")
    assert node is not None
    assert node.line() == "one two three"


@both
def test_nodes_tell_of_themselves_and_their_neighbours(engine: type[LexborDocument | SoupDocument]) -> None:
    document: Document = engine(PAGE.format("t<i>1</i><!-- c --> <div>2<b>3</b></div>"))
    node = document.select_one("div")
    assert node is not None
    assert (node.name, node.attribute("class"), node.attribute("title")) == ("div", "x y", None)
    assert [child.name for child in node.children()] == ["i", "div"]
    assert [inner.line() for inner in node.select("div")] == ["23"], "an element is not below itself"
    inner = node.select_one("div")
    assert inner is not None
    assert inner.line() == "23"
    assert inner.parent is not None
    assert inner.parent.attribute("id") == "a"
    assert inner.following is None
    after = node.following
    assert after is not None
    assert (after.attribute("id"), after.attribute("title")) == ("b", "")
    assert node.select_one("table") is None
    assert list(node.select("table")) == []
    assert document.select_one("table") is None


@pytest.mark.parametrize("opening", ["<!-- x", "<script>x", "<textarea>x", "<style>x", "<TITLE>x", "<xmp>x"])
def test_what_is_never_closed_hides_nothing_from_the_second_engine(opening: str) -> None:
    text = text_of(SoupDocument, f"before {opening} <b>and</b> more")
    assert text == f"before {opening} and more"


def test_only_what_is_never_closed_becomes_text() -> None:
    html = "<!-- a --><script>b</script><script>c<script>d</script><!-- e <!-- f -->"
    assert closed(html) == "<!-- a --><script>b</script>&lt;script>c<script>d</script>&lt;!-- e <!-- f -->"


ATTRIBUTES = " ".join(f'a{number}="1"' for number in range(40_000))


def test_what_stands_in_a_script_is_no_attribute() -> None:
    html = "<script>for (i = 0; i <n; i++) {" + "let it be ; " * 1000 + "}</script><p>kept</p></html>"
    assert guarded(html) == html


@both
@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 100_000,
        "<div>" * 100_000 + "</div>" * 100_000,
        "<DIV>" * 5_000,
        "<b>" * 50_000 + "<p>x</p>" * 1000,
        "<table><tr><td>" * 5_000,
        "<span><i>" * 3_000,
        "<" * (MAX_TAGS + 1),
        "x" * (MAX_CHARACTERS + 1),
        f"<p {ATTRIBUTES}>x</p>",
        f'<p x=">" y="<script>" {ATTRIBUTES} z="</script>">x</p>',
        "<p " + ATTRIBUTES.replace(" ", "/"),
        "<select>" + "<option>x" * 40_000,
        "<OPTION>x</OPTION>" * 40_000,
    ],
    ids=[
        *("open", "nested", "capitals", "styles", "tables", "spans", "tags", "characters"),
        *("attributes", "behind quotes", "parted by slashes", "options", "options in capitals"),
    ],
)
def test_a_page_that_would_take_for_ever_is_refused_at_once(
    engine: type[LexborDocument | SoupDocument], html: str
) -> None:
    start = time.process_time()
    with pytest.raises(PageRejected):
        engine(html)
    assert time.process_time() - start < 1


@both
@pytest.mark.parametrize(
    "html",
    [
        "<p>" * 3_000,
        "<li>x" * 3_000,
        "<!--" * 20_000,
        "<script " * 1_400,
        "<textarea>" * 1_400,
        "<div>" * 1_400,
        "<font color=1>" * 700 + "<p>x</p>" * 700,
        "<![CDATA[" * 1_000,
        "<![if x" * 1_000,
        "</div>" * 20_000,
        "&" * 100_000,
    ],
    ids=lambda html: html[:12],
)
def test_odd_pages_are_read_or_refused_in_a_bounded_time(
    engine: type[LexborDocument | SoupDocument], html: str
) -> None:
    start = time.process_time()
    try:
        node = engine(html).select_one("body") or engine(html).select_one("*")
        if node is not None:
            node.text()
    except PageRejected:
        pass
    assert time.process_time() - start < 5


@both
def test_many_ordinary_tags_are_fine(engine: type[LexborDocument | SoupDocument]) -> None:
    rows = "".join(f"<tr><td>{n}<td><b>b</b><br></tr>" for n in range(2_000))
    assert len(engine(f"<table>{rows}</table>").select("tr")) == 2_000


@given(st.text(max_size=200))
def test_any_text_comes_back_from_both_engines_alike(text: str) -> None:
    html = escape(text).replace("\n", "<br>")
    assert text_of(LexborDocument, html) == text_of(SoupDocument, html)


@given(st.text(alphabet="<>/!-ab &;\"'=\0\n", max_size=60))
def test_no_page_makes_an_engine_fail(html: str) -> None:
    for engine in ENGINES:
        try:
            engine(html).select("a, b")
        except PageRejected:
            continue


@given(st.text(st.sampled_from("a\r\n\0\ud800\udfff가😀"), max_size=20))
def test_a_cleaned_page_can_be_stored_and_loses_no_place(html: str) -> None:
    lines = html.replace("\r\n", "\n").replace("\r", "\n")
    expected = "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in lines)
    assert cleaned(html) == expected
    assert encoded(html) == expected.encode()
