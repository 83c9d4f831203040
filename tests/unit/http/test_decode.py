"""From bytes to text."""

from __future__ import annotations

import time
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import crawler.http.decode
from crawler.http.decode import Decoded, decode, examine

KOREAN = "한글 오류가 발생했습니다. 똠방각하 뷁"  # the last words are in cp949 and not in plain EUC-KR
JAPANESE = "エラーが発生しました。①髙橋 ﾊﾝｶｸ"  # with characters of cp932 that plain Shift_JIS lacks
EUC_JP = "エラーが発生しました。処理を終了します。"


def meta(charset: str, text: str) -> str:
    return f"<html><head><meta charset='{charset}'><title>{text}</title>"


def http_equiv(charset: str, text: str) -> str:
    return f'<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset={charset}"><p>{text}</p>'


@pytest.mark.parametrize(
    ("text", "codec", "header"),
    [
        (KOREAN, "utf-8", "text/html; charset=utf-8"),
        (KOREAN, "utf-8", "text/html; charset=euc-kr"),
        (KOREAN, "utf-8-sig", None),
        (http_equiv("euc-kr", KOREAN), "utf-8", None),
        (KOREAN, "cp949", 'text/html; charset="EUC-KR"'),
        (KOREAN, "cp949", None),
        (KOREAN, "cp949", "text/html; charset=utf-8"),
        (http_equiv("euc-kr", KOREAN), "cp949", "text/html"),
        (meta("ks_c_5601-1987", KOREAN), "cp949", "text/html; charset=ISO-8859-1"),
        (meta("utf-8", KOREAN), "cp949", None),
        (JAPANESE, "cp932", "text/html; charset=Shift_JIS"),
        (meta("x-sjis", JAPANESE), "cp932", None),
        (meta("shift_jis", JAPANESE), "cp932", "text/html; charset=utf-8"),
        (meta("shift_jis", JAPANESE), "cp932", "text/html; charset=iso-8859-1"),
        (meta("euc-jp", "エラーが発生しました"), "euc_jp", "text/html"),
        ("Größe: 5 €", "cp1252", "text/plain; charset=iso-8859-1"),
        ("<?xml version='1.0' encoding='windows-1251'?><a>Ошибка</a>", "cp1251", None),
        (KOREAN, "utf-16", None),
        ("", "utf-8", None),
    ],
)
def test_a_page_is_read_right_whatever_is_declared(text: str, codec: str, header: str | None) -> None:
    found = decode(text.encode(codec), header)
    assert (found.text, found.replaced) == (text, 0)


def test_what_cannot_be_read_is_replaced_and_counted() -> None:
    # \ufffd stands in the page itself once, and is not counted.
    body = b"ok \xff\xff " + "\ufffd 한글 é \U0001f600".encode()
    assert decode(body) == Decoded("ok \ufffd\ufffd \ufffd 한글 é \U0001f600", "utf-8", 2)


@pytest.mark.parametrize("header", ["iso-8859-1", "windows-1252", "iso-8859-15", "koi8-r", "cp437", "x-none"])
@pytest.mark.parametrize(("text", "codec"), [(KOREAN, "cp949"), (JAPANESE, "cp932"), (EUC_JP, "euc_jp")])
@pytest.mark.parametrize("end", [b"", b"\x83<p>"], ids=["whole", "half a letter at its end"])
def test_a_charset_that_decodes_anything_proves_nothing(
    text: str, codec: str, header: str, end: bytes
) -> None:
    found = decode(text.encode(codec) + end, f"text/html; charset={header}")
    assert found.encoding == codec
    assert found.text.startswith(text)
    assert found.replaced == bool(end)
    assert f"does not say that it is {codec}" in found.warnings[0]


@pytest.mark.parametrize("text", ["Ошибка при запуске программы, ЗАДАЧА 5", "Größe, ÄÖÜ, café", "Ελληνικά"])
@pytest.mark.parametrize("codec", ["koi8-r", "cp1251", "cp1252", "iso8859-15", "cp1253", "cp866"])
def test_a_declared_charset_of_one_byte_counts_where_the_text_is_neither_korean_nor_japanese(
    text: str, codec: str
) -> None:
    try:
        body = text.encode(codec)
    except UnicodeEncodeError:
        return
    found = decode(body, f"text/html; charset={codec}")
    assert (found.text, found.warnings) == (text, ())


@pytest.mark.parametrize("codec", ["johab", "big5", "gb18030", "iso2022_kr", "iso2022_jp", "utf-16-le"])
def test_a_declared_charset_is_asked_of_pythons_codecs(codec: str) -> None:
    text = "<p>中文</p>" * 9 if codec in ("big5", "gb18030") else "<p>오류 日本</p>" * 9
    text = "<p>日本のエラー</p>" * 9 if codec == "iso2022_jp" else text
    found = decode(text.encode(codec), f"text/html; charset={codec.replace('_', '-')}")
    assert (found.text, found.warnings) == (text, ())


@given(
    st.lists(
        st.text(st.sampled_from("가나다라마바사아자차카타파하긴급오류누리손해보험"), min_size=2), min_size=8
    ),
    st.sampled_from(["", "; charset=euc-kr", "; charset=utf-8", "; charset=iso-8859-1"]),
    st.data(),
)
def test_half_a_letter_costs_its_own_word_only(words: list[str], charset: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(words) - 1))
    encoded = [word.encode("cp949") for word in words]
    encoded[cut] += b"\xc7"
    found = decode(b"<td>".join(encoded), f"text/html{charset}")
    whole = [read for place, read in enumerate(found.text.split("<td>")) if place != cut]
    assert whole == [word for place, word in enumerate(words) if place != cut]
    assert found.replaced == 1
    assert "1 place of the page could not be decoded." in found.warnings


@pytest.mark.parametrize(
    "charset", ["idna", "unicode_escape", "rot13", "zlib", "undefined", "no-such", "-" * 99]
)
def test_a_charset_that_is_no_encoding_of_pages_is_not_used(charset: str) -> None:
    assert decode(KOREAN.encode("cp949"), f"text/html; charset={charset}").encoding == "cp949"


@given(
    st.binary(max_size=300), st.none() | st.text(max_size=60) | st.sampled_from(["text/html; charset=euc-kr"])
)
def test_decoding_never_fails(body: bytes, header: str | None) -> None:
    found = decode(body, header)
    found.text.encode()  # no lone surrogates


@given(
    st.one_of(
        st.binary(),
        st.builds(
            lambda words, codec, more: more.join(word.encode(codec, "replace") for word in words),
            st.lists(st.sampled_from([KOREAN, JAPANESE, "words", "<p>", "\ufffd", "\U0001f600"])),
            st.sampled_from(["utf-8", "cp949", "cp932", "euc_jp", "iso2022_jp", "utf-16"]),
            st.sampled_from([b"<", b"<b>\xff<", b"\xb0<"]),
        ),
    ),
    st.sampled_from([None, "text/html; charset=euc-kr", "text/html; charset=latin-1", "x; charset=utf-16"]),
)
def test_a_large_page_is_read_as_a_small_one_would_be(body: bytes, header: str | None) -> None:
    with patch.object(crawler.http.decode, "_CHUNK", 1):
        examined = examine(body, header)
    assert examined == replace(decode(body, header), text="")


@given(st.text())
def test_utf_8_comes_back_as_it_was(text: str) -> None:
    body = text.encode("utf-8", "ignore")
    assert decode(body, "text/html; charset=euc-kr").text == body.decode().removeprefix("\ufeff")


@given(st.text(st.characters(codec="cp949"), max_size=50))
def test_what_is_declared_comes_back_unless_it_is_valid_utf_8(text: str) -> None:
    body = text.encode("cp949")
    try:
        expected = body.decode()
    except UnicodeDecodeError:
        expected = text
    assert decode(body, "text/html; charset=euc-kr").text == expected


def test_a_page_made_to_be_slow_is_not() -> None:
    began = time.process_time()
    decode(b"\xff" + b"<meta " * 200_000)
    decode(b"\xff" + b"<meta charset=" * 100_000)
    assert time.process_time() - began < 3  # by the square of its length it would be minutes
