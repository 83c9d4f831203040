"""Documents of office programs, PDFs, pages and mails: their words in their places, nothing fetched."""

from __future__ import annotations

import base64
import builtins
import io
import subprocess
import sys
import time
import zipfile
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.files.file_text import MOST_CHARACTERS
from tests.fixtures.documents import (
    ENCRYPTED_PDF,
    compound,
    docx,
    hwp,
    hwpx,
    msg,
    opendocument,
    packed,
    pdf,
    pptx,
    xlsx,
)
from tests.unit.files.reading import members, numbered, read, said


def test_word() -> None:
    notes = '<w:comments xmlns:w="w"><w:p><w:r><w:t>why?</w:t></w:r></w:p></w:comments>'
    text = read(docx("설치 안내", "two &amp; <w:tab/>", word__comments=notes))
    assert (text.kind, text.error, text.members) == ("docx", None, 0)
    assert numbered(text) == [(1, "설치 안내"), (2, "two &")]
    assert said(text, "comments") == "why?"


def test_excel() -> None:
    text = read(xlsx({"요약": [["코드", "ORA-01555", "17"], ["x"]], "b/c": [["two"]]}))
    assert (text.kind, text.error) == ("xlsx", None)
    assert numbered(text, "요약") == [(2, "코드\tORA-01555\t17"), (4, "x")]
    assert said(text, "b/c") == "two"


def test_powerpoint() -> None:
    text = read(pptx(*(f"slide {at}" for at in range(1, 12))))
    assert (text.kind, text.error) == ("pptx", None)
    assert numbered(text)[9:] == [(10, "slide 10"), (11, "slide 11")]


def test_opendocument() -> None:
    text = read(
        opendocument("text", "<text:h>Titel</text:h><text:p>a<text:tab/>b<text:s text:c='3'/>c</text:p>")
    )
    assert (text.kind, numbered(text)) == ("odt", [(1, "Titel"), (2, "a\tb   c")])
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    rows = (
        f"<table:table-row>{cell.format('a')}{cell.format('b')}</table:table-row>"
        "<table:table-row table:number-rows-repeated='1048000'><table:table-cell/></table:table-row>"
        f"<table:table-row>{cell.format('end')}</table:table-row>"
    )
    text = read(opendocument("spreadsheet", f"<table:table table:name='Blatt'>{rows}</table:table>"))
    assert (text.kind, numbered(text, "Blatt")) == ("ods", [(1, "a\tb"), (1_048_002, "end")])
    text = read(
        opendocument(
            "presentation",
            "<draw:page><text:p>one</text:p></draw:page><draw:page><text:p>two</text:p></draw:page>",
        )
    )
    assert (text.kind, numbered(text)) == ("odp", [(1, "one"), (2, "two")])


def test_hangul() -> None:
    assert numbered(read(hwpx("장애 보고서", "오류 코드"))) == [(1, "장애 보고서"), (2, "오류 코드")]
    table = "\x0b" + "\x01\x02\x03\x04\x05\x06\x07"
    for flags in (0, 1):
        text = read(hwp(f"장애 {table}보고서", "둘째\x09\0\0\0\0\0\0\x09줄 😀", flags=flags))
        assert (text.kind, text.error) == ("hwp", None)
        assert numbered(text) == [(1, "장애 보고서"), (2, "둘째\t줄 😀")]
    text = read(hwp("secret", flags=3))
    assert (text.parts, text.error) == ((), "The file is encrypted.")


def test_pdf() -> None:
    text = read(pdf("first page", "ORA-01555 here", "third"))
    assert (text.kind, text.error) == ("pdf", None)
    assert numbered(text) == [(1, "first page"), (2, "ORA-01555 here"), (3, "third")]


def test_an_encrypted_pdf_says_so() -> None:
    text = read(pdf("secret", trailer=ENCRYPTED_PDF))
    assert (text.kind, text.parts, text.error) == ("pdf", (), "The file is encrypted.")


@pytest.mark.parametrize(
    "content",
    [
        pdf("x", parent="4 0 R"),
        pdf("x").replace(b"/Kids[4 0 R]", b"/Kids[2 0 R]"),
        pdf("x").replace(b"/Kids[4 0 R]/Count 1", b"/Kids[2 0 R]/Count 99999999"),
        pdf("x").replace(b"/Contents 5 0 R", b"/Contents 4 0 R"),
        pdf("x").replace(b"/Length 35", b"/Length 5 0 R"),
        pdf("x").replace(b"%%EOF", b"").replace(b"startxref", b"startxref 0 "),
        pdf("x", trailer="/Prev 9"),
    ],
    ids=["parent", "kids", "count", "contents", "length", "no table", "previous"],
)
def test_a_pdf_that_loops_ends(content: bytes) -> None:
    started = time.monotonic()
    assert read(content).kind == "pdf"
    assert time.monotonic() - started < 5


def test_a_mail() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "김철수 <kim@example.org>", "lee@example.org", "장애 Größe"
    mail["Message-ID"], mail["Date"] = "<1@example.org>", "Mon, 05 Jan 2026 10:00:00 +0900"
    mail.set_content("안녕하세요\nsee the log\n", charset="euc-kr")
    mail.add_alternative("<p>안녕하세요</p>", subtype="html")
    mail.add_attachment(
        b"2026 ERROR x\n", maintype="application", subtype="octet-stream", filename="로그.log"
    )
    mail.add_attachment(packed({"in.log": "inside"}), maintype="application", subtype="zip", filename="a.zip")
    text = read(mail.as_bytes(), "noending")
    assert (text.kind, text.members, text.error) == ("mail", 3, None)
    assert [line for _, line in numbered(text)] == [
        "From: 김철수 <kim@example.org>",
        "To: lee@example.org",
        "Date: Mon, 05 Jan 2026 10:00:00 +0900",
        "Subject: 장애 Größe",
        "",
        "안녕하세요",
        "see the log",
    ]
    assert members(text) == ["", "로그.log", "a.zip!/in.log"]


def test_a_mailbox_keeps_its_lines() -> None:
    mail = (
        b"From kim Mon Jan  5 10:00:00 2026\nReceived: by x\nFrom: =?utf-8?b?6rmA?=\nSubject: x\n\nbody\n\n"
    )
    text = read(mail * 3)
    assert (text.kind, numbered(text)[9]) == ("mail", (10, "From: 김"))


@pytest.mark.parametrize(
    ("content", "said_of_it"),
    [
        (b"From: a\nTo: b\nReceived: x\n\n" + b"hello world\n" * 3_000_000, "is a mail of more than 32 MB"),
        (
            b"From: a\nTo: b\nReceived: x\nContent-Type: multipart/mixed; boundary=x\n\n"
            + b"--x\nContent-Type: message/rfc822\n\nSubject: a\n" * 100_000,
            "has more than 200 mails",
        ),
        (docx("x", word__comments=f"<w:p a='{'y' * (20 << 20)}'/>"), "has a tag that is longer"),
        (docx("x", word__comments="<a>" * 1_000_000), "nests its elements deeper"),
    ],
    ids=["large", "mails", "tag", "depth"],
)
def test_what_would_take_for_ever_is_left(content: bytes, said_of_it: str) -> None:
    started = time.monotonic()
    text = read(content)
    assert time.monotonic() - started < 5
    assert text.error is not None
    assert said_of_it in text.error


def test_a_mail_of_undeclared_encoding_is_read() -> None:
    mail = "From: 김철수 <k@e.org>\nTo: x\nReceived: by x\nMIME-Version: 1.0\n"
    mail += "Subject: 장애 보고\n\n서버에 연결할 수 없습니다\n"
    assert "Subject: 장애 보고\n\n서버에 연결할 수 없습니다" in said(read(mail.encode("cp949")))


def test_a_mail_of_outlook() -> None:
    content = msg(
        {"From": "김철수", "To": "Lee", "Subject": "장애"}, "본문\r\nsecond", {"x.log": b"ERROR in x\n" * 500}
    )
    text = read(content)
    assert (text.kind, text.members, text.error) == ("msg", 1, None)
    assert said(text).split("\n")[:3] == ["From: 김철수", "To: Lee", "Subject: 장애"]
    assert "본문\nsecond" in said(text)
    assert numbered(text, "x.log")[499] == (500, "ERROR in x")


def test_a_document_with_a_password_says_so() -> None:
    text = read(compound({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}))
    assert (text.kind, text.parts, text.error) == ("ole", (), "The file is encrypted.")


def test_an_old_office_file_is_told() -> None:
    text = read(compound({"WordDocument": b"x"}))
    assert (text.kind, text.parts) == ("doc", ())
    assert text.error == "The file is of an old Office program, whose files are not read."


def test_a_page() -> None:
    page = (
        "<!DOCTYPE html><html><head><meta charset='euc-kr'><title>오류 &amp; 예외</title>"
        "<script>evil()</script></head><body><p>첫째<br>둘째</p><table><tr><td>a<td>b</table></body></html>"
    )
    text = read(page.encode("cp949"))
    assert text.kind == "html"
    assert numbered(text) == [(1, "오류 & 예외"), (2, "첫째"), (3, "둘째"), (4, "a\tb")]


def test_a_page_that_no_engine_can_read_is_text() -> None:
    text = read(b"<html><body>" + b"<div>" * 50_000 + b"needle")
    assert text.kind == "html"
    assert "needle" in said(text)


ENTITIES = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;">]>'
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
REMOTE = '<?xml version="1.0"?><!DOCTYPE d SYSTEM "http://192.0.2.1/x.dtd">'


@pytest.mark.parametrize("prolog", [ENTITIES, EXTERNAL], ids=["laughs", "external"])
def test_entities_are_refused(prolog: str) -> None:
    text = read(docx("&b;" if prolog is ENTITIES else "&a;", prolog=prolog))
    assert (text.kind, text.parts) == ("docx", ())
    assert text.error == "The file declares entities, which no real document does."


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert said(read(docx("text", prolog=REMOTE))) == "text"


def test_a_document_that_inflates_is_cut() -> None:
    started = time.monotonic()
    text = read(docx("x" * (90 << 20)))
    assert time.monotonic() - started < 10
    assert text.capped
    assert text.error is not None
    rows = [[f"cell {at} {number}" for number in range(40)] for at in range(5_000)]
    text = read(xlsx({"a": rows, "b": rows}))
    assert text.capped
    assert text.characters <= MOST_CHARACTERS


def test_what_needs_the_extra_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: object) -> object:
        if name.split(".")[0] in ("pypdfium2", "olefile"):
            raise ImportError(name)
        return real(name, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    for content in (pdf("x"), msg({}, "x", {})):
        text = read(content)
        assert text.parts == ()
        assert text.error is not None
        assert "'ims-crawler[office]'" in text.error


def test_documents_of_real_libraries_are_read() -> None:
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "한글 시트"
    book.active.append(["이름", 3.5, "a\nb"])
    book.active["A3"] = "=SUM(B1:B2)"
    book.active["B3"] = "third"
    memory = io.BytesIO()
    book.save(memory)
    text = read(memory.getvalue())
    assert numbered(text, "한글 시트") == [(1, "이름\t3.5\ta b"), (3, "third")]


def test_the_extra_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, crawler.files.sandbox; print({'olefile', 'pypdfium2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def _mail() -> bytes:
    return (
        b"Received: by x\nFrom: a\nTo: b\nSubject: =?utf-8?b?7Jik66WY?=\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="x"\n\n'
        b"--x\nContent-Type: text/plain; charset=cp949\n\nhello\n"
        b"--x\nContent-Type: application/zip; name=a.zip\nContent-Disposition: attachment; filename=a.zip\n"
        b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(packed({"a": "b"})) + b"--x--\n"
    )


SEEDS = {
    "docx": docx("one", "two"),
    "xlsx": xlsx({"a": [["x", "1"], ["y"]]}),
    "pptx": pptx("one"),
    "odt": opendocument("text", "<text:p>a</text:p>"),
    "ods": opendocument("spreadsheet", "<table:table><table:table-row/></table:table>"),
    "hwpx": hwpx("a"),
    "hwp": hwp("one", "two"),
    "msg": msg({"Subject": "a"}, "b", {"x.log": b"y"}),
    "pdf": pdf("one", "two"),
    "mail": _mail(),
    "html": b"<!DOCTYPE html><html><body><table><tr><td>a</table></body>",
}


def _stored(content: bytes) -> bytes:
    """The same archive uncompressed, so that a change reaches what is within."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as other:
            for name in archive.namelist():
                other.writestr(name, archive.read(name))
    return memory.getvalue()


SEEDS |= {f"{kind} stored": _stored(content) for kind, content in SEEDS.items() if content[:2] == b"PK"}


@given(
    st.sampled_from(sorted(SEEDS)),
    st.lists(st.tuples(st.floats(0, 0.999), st.binary(min_size=1, max_size=8)), max_size=4),
    st.floats(0, 1) | st.just(1.0),
)
def test_a_spoilt_document_never_does_harm(
    seed: str, changes: list[tuple[float, bytes]], kept: float
) -> None:
    content = bytearray(SEEDS[seed])
    for where, change in changes:
        at = int(where * len(content))
        content[at : at + len(change)] = change
    started = time.monotonic()
    text = read(bytes(content[: int(kept * len(content))]), report=lambda _: None)
    assert time.monotonic() - started < 5
    assert text.characters <= MOST_CHARACTERS
    for part in text.parts:
        assert part.text.encode().decode() == part.text
        assert not set("\0\r\x1b") & set(part.text)
        assert part.member.isprintable()
