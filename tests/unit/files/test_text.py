"""Texts of any encoding, with their lines as they are in the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.files.file_text import LONGEST_PART, MOST_CHARACTERS
from pipeline.attachments.reader import FileReader
from tests.unit.files.reading import members, numbered, read, said

# As messages of programs are; each line must be told by itself, without the others to help.
LINES = {
    "cp949": (
        "오류",
        "예외가 발생했습니다",
        "서버에 연결할 수 없습니다: 접속 시간 초과",
        "사용자 로그인 실패 횟수 초과",
    ),
    "cp932": (
        "エラー",
        "例外が発生しました",
        "サーバに接続できません",
        "データベースの接続に失敗しました: タイムアウト",
    ),
    "euc_jp": (
        "エラーが出ました",
        "例外が発生しました",
        "サーバに接続できません",
        "ファイルが見つかりません。",
    ),
    "gb18030": ("错误", "无法打开文件", "系统找不到指定的文件。", "数据库连接超时，请检查网络配置"),
    "big5": ("無法開啟檔案", "系統找不到指定的檔案。", "資料庫連線逾時，請檢查網路設定"),
    "cp1251": ("ошибка", "Ошибка подключения к серверу", "Не удалось открыть файл", "Доступ запрещён"),
    "koi8_r": ("ошибка", "Ошибка подключения к серверу", "исправлена опечатка в переводе меню"),
    "cp866": ("ошибка", "Ошибка подключения к серверу", "Не удается найти указанный файл."),
    "iso8859_5": ("ошибка", "Ошибка подключения к серверу", "исправлена опечатка в переводе меню"),
    "cp1252": ("Zugriff verweigert: Schlüssel ungültig für Müller", "fichier non trouvé à l’endroit prévu"),
    "iso8859_1": ("Größe", "Café au lait", "Copyright © 2004 Jürgen Groß"),
    "iso8859_2": ("nie można otworzyć pliku, błąd połączenia", "příliš žluťoučký kůň"),
    "iso2022_jp": ("エラーが出ました", "データベースの接続に失敗しました"),
    "cp1254": ("Bağlantı başarısız oldu: geçersiz şifre", "dosya bulunamadı, lütfen yeniden deneyin"),
    "cp1253": ("σφάλμα σύνδεσης με τον διακομιστή", "το αρχείο δεν βρέθηκε"),
    "cp1255": ("שגיאת התחברות לשרת",),
    "cp1256": ("خطأ في الاتصال بالخادم", "لم يتم العثور على الملف"),
    "cp1250": ("nie można otworzyć pliku, ścieżka błędna", "soubor nelze otevřít, žádost selhala"),
}
WIDE = ("utf-16-le", "utf-16-be", "utf-16", "utf-8-sig", "utf-32")


@pytest.mark.parametrize(("codec", "line"), [(codec, line) for codec in LINES for line in LINES[codec]])
def test_a_line_of_any_encoding_is_read(codec: str, line: str) -> None:
    text = read(f"2026-01-01 12:00:00 x\ny {line} at 5\n".encode(codec))
    assert numbered(text) == [(1, "2026-01-01 12:00:00 x"), (2, f"y {line} at 5")]
    assert text.error is None


@pytest.mark.parametrize("codec", WIDE)
@pytest.mark.parametrize("line", ["plain", "한글 오류 메시지", "エラーが出ました", "Ошибка", "错误信息"])
def test_encodings_of_several_bytes_are_told_with_and_without_a_mark(codec: str, line: str) -> None:
    lines = ["Windows Registry Editor Version 5.00", "", line, "end of it"] * 20
    text = read("\r\n".join(lines).encode(codec))
    assert [each for _, each in numbered(text)] == lines


def test_a_patch_of_four_encodings_is_read_file_by_file() -> None:
    pieces = [
        ("po/ko.po", "cp949", "서버에 연결할 수 없습니다"),
        ("po/ja.po", "euc_jp", "サーバに接続できません"),
        ("po/ru.po", "koi8_r", "Ошибка подключения к серверу"),
        ("po/zh.po", "utf-8", "数据库连接超时"),
        ("po/de.po", "iso8859_1", "Schlüssel ungültig für diesen Benutzer"),
    ]
    patch = b"".join(
        f'diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -1,2 +1,2 @@\n-x\n+msgstr "'.encode()
        + words.encode(codec)
        + b'"\n'
        for name, codec, words in pieces
    )
    text = read(patch)
    assert text.kind == "patch"
    assert [line for _, line in numbered(text) if "msgstr" in line] == [
        f'+msgstr "{words}"' for _, _, words in pieces
    ]


def test_a_log_of_two_programs_is_read_line_by_line() -> None:
    lines = [
        "서버에 연결할 수 없습니다: 접속 시간 초과",
        "사용자 로그인 실패 횟수 초과",
        "예외가 발생했습니다",
    ]
    content = b"".join(f"{line}\n".encode(codec) for line in lines for codec in ("utf-8", "cp949"))
    assert [line for _, line in numbered(read(content))] == [line for line in lines for _ in range(2)]


def test_one_bad_byte_costs_one_character() -> None:
    line = "서버에 연결할 수 없습니다: 접속 시간 초과"
    text = read(f"{line}\n".encode() * 3 + line.encode()[:-1] + b"\n")
    assert [each for _, each in numbered(text)] == [line] * 3 + [line[:-1] + "\ufffd"]


def test_a_patch_with_a_mail_header_has_its_words() -> None:
    patch = (
        b"From 0123456789abcdef0123456789abcdef01234567 Mon Sep 17 00:00:00 2001\n"
        b"From: =?UTF-8?B?6rmA7LKg7IiY?= <kim@example.org>\nSubject: [PATCH] =?ISO-8859-1?Q?Gr=F6=DFe?=\n\n"
        b"---\n a.c | 2 +-\n\ndiff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-old\n"
        b"+old_esc_mode\n"
    )
    text = read(patch, "noending")
    assert text.kind == "patch"
    assert "From: 김철수 <kim@example.org>" in said(text)
    assert "Subject: [PATCH] Größe" in said(text)
    assert (13, "+old_esc_mode") in numbered(text)


def test_what_a_terminal_would_obey_is_gone() -> None:
    text = read(b"\x1b[31mred\x1b[0m\r\n\x1b]0;title\x07two\0 of\x08 it\rthree\nfour\n")
    assert numbered(text) == [(1, "red"), (2, "two of  it three"), (3, "four")]


def test_an_old_macs_lines_are_lines() -> None:
    assert numbered(read(b"one\rtwo\rthree")) == [(1, "one"), (2, "two"), (3, "three")]


def test_a_log_with_holes_is_read() -> None:
    text = read(bytes(300_000) + b"first after the hole\nsecond" + bytes(1_000_000) + b"\nthird\n")
    assert numbered(text) == [(1, "first after the hole"), (2, "second"), (3, "third")]


@pytest.mark.parametrize(
    "content",
    [bytes(70_000), os.urandom(70_000), b"\x7fELF" + bytes(5000)],
    ids=["zeros", "random", "program"],
)
def test_what_nobody_can_read_has_no_text(content: bytes) -> None:
    text = read(content, "server.log")
    assert (text.kind, text.parts, text.error) == ("binary", (), None)


def test_escapes_of_json_and_xml_are_undone() -> None:
    text = read(b'{"a": "\\uc624\\ub958", "b": "\\u0041\\ud83d\\ude00 \\\\uc624 \\u000a"}')
    assert (text.kind, said(text)) == (
        "json",
        '{"a": "오류", "b": "\\u0041\\ud83d\\ude00 \\\\uc624 \\u000a"}'.replace(
            "\\u0041\\ud83d\\ude00", "A😀"
        ),
    )
    bomb = b'<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY x "yyyy"><!ENTITY z "&x;&x;">]>\n'
    bomb += b"<a>&#50724;&lt;&z;&#10;</a>"
    text = read(bomb)
    assert text.kind == "xml"
    assert numbered(text)[2] == (3, "<a>오<&z; </a>")


def test_an_xml_of_a_declared_encoding_is_read() -> None:
    text = read('<?xml version="1.0" encoding="EUC-KR"?>\n<a>한</a>'.encode("euc_kr"))
    assert numbered(text)[1] == (2, "<a>한</a>")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"2026-01-01 12:00:01 INFO a\n2026-01-01 12:00:02 INFO b\n2026-01-01 12:00:03 INFO c\n", "log"),
        (b"a,b,c\n1,2,3\n4,5,6\n", "csv"),
        (b"8=FIX.4.2\x019=65\x0135=A\x0149=SERVER\x0156=CLIENT\x01\n" * 9, "text"),
        ("\ufeff<?xml version='1.0' encoding='utf-16'?><a>x</a>".encode("utf-16-be"), "xml"),
        (b"Hello,\n\nplease look at this.\n", "text"),
        (b"", "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "picture"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), "video"),
    ],
)
def test_the_kind_is_told_by_the_content(content: bytes, kind: str) -> None:
    assert read(content, "wrong.zip").kind == kind


def _log(lines: int, odd: dict[int, str]) -> bytes:
    return "".join(
        odd.get(number, f"2026-01-01 12:00:00 INFO step {number} of the usual work is done, nothing to see")
        + "\n"
        for number in range(1, lines + 1)
    ).encode()


def test_of_a_long_log_head_tail_and_telling_lines_are_kept_with_their_numbers() -> None:
    odd = {
        30_000: "ORA-01555: snapshot too old",
        30_500: "java.lang.IllegalStateException: no",
        31_000: "2026-01-01 예외가 발생",
        31_100: "ret = -1 EACCES (Permission denied)",
        31_200: "Traceback (most recent call last):",
        31_300: "HRESULT 0x80070005",
    }
    content = _log(60_000, odd)
    text = read(content)
    lines = numbered(text)
    assert text.capped
    assert text.characters <= MOST_CHARACTERS
    assert (lines[0][0], lines[-1][0]) == (1, 60_000)
    assert odd.items() <= dict(lines).items()
    whole = content.decode().split("\n")
    assert all(whole[number - 1] == line for number, line in lines)
    assert [number for number, _ in lines] == sorted({number for number, _ in lines})


def test_a_text_that_fits_is_whole() -> None:
    content = _log(9_000, {})
    text = read(content)
    assert not text.capped
    assert said(text) == content.decode().rstrip("\n")
    assert max(len(part.text) for part in text.parts) <= LONGEST_PART


def test_a_flood_of_the_same_error_hides_no_other() -> None:
    odd = {
        number: f"ERROR 17 at {number}: the same as ever, and ever and ever again, with words"
        for number in range(9_000, 50_000)
    }
    odd[45_000] = "FATAL: the disk is full"
    assert (45_000, odd[45_000]) in numbered(read(_log(60_000, odd)))


def test_a_line_of_30_mb_is_cut_and_the_next_has_its_number() -> None:
    text = read(b"first\n" + b"x" * (30 << 20) + b" ERROR here\nlast\n")
    lines = numbered(text)
    assert lines[0] == (1, "first")
    assert lines[-1] == (3, "last")
    assert {number for number, _ in lines} == {1, 2, 3}
    assert max(len(line) for _, line in lines) <= 10_000
    assert text.capped


@given(st.binary(max_size=3000))
def test_any_bytes_give_text_that_can_be_stored(content: bytes) -> None:
    _can_be_stored(content)


@given(
    st.lists(st.text(max_size=80), max_size=12),
    st.sampled_from([*LINES, *WIDE, "utf-8"]),
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_any_text_of_any_encoding_gives_text_that_can_be_stored(
    lines: list[str], codec: str, end: str
) -> None:
    _can_be_stored(end.join(lines).encode(codec, "replace"))


@given(st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=300))
def test_utf_8_comes_back_as_it_is(line: str) -> None:
    text = read(f"abc {line}\n".encode() * 3)
    if text.kind in ("text", "log", "csv"):
        assert [each for _, each in numbered(text)] == [f"abc {line}"] * 3


def _can_be_stored(content: bytes) -> None:
    text = read(content)
    for part in text.parts:
        assert part.text.encode().decode() == part.text
        assert not set("\0\r\x1b") & set(part.text)
        assert len(part.text) <= LONGEST_PART
        assert part.line_numbers is None or len(part.line_numbers) == part.text.count("\n") + 1
    assert members(text) in ([], [""])


@pytest.mark.long
async def test_a_sparse_log_of_2_gb_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    line = b"2026-01-01 12:00:00 INFO the usual work is done, and there is nothing to see here at all\n"
    with path.open("wb") as file:
        file.seek(1 << 30)
        for _ in range(64):
            file.write(line * ((16 << 20) // len(line)))
        file.write(b"FATAL: the end\n")
    async with FileReader() as files:
        text = await files.read(path, "server.log", None)
        assert files._process is not None
        status = Path(f"/proc/{files.process_id}/status").read_text()  # noqa: ASYNC240 - it is quick
    peak = int(status.partition("VmHWM:")[2].split()[0])
    assert text.error is None
    assert numbered(text)[-1] == (1 + 64 * ((16 << 20) // len(line)), "FATAL: the end")
    assert peak < 100_000
