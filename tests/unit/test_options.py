"""What people write for an option of a kind becomes its value, or a sentence that says why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import UsageError
from crawler.options import FALSE, TRUE, changed
from crawler.source import Features, Kind, Option
from crawler.sources import find_kind, kind_names


def _never(*_: object) -> object:
    raise AssertionError


KIND = Kind(
    name="shelf",
    title="Shelf",
    open_source=_never,  # type: ignore[arg-type]  # neither is opened
    open_parser=_never,  # type: ignore[arg-type]
    features=Features(
        options=(
            Option(name="archived", default=False, help="Archived issues too."),
            Option(name="page_size", default=50, help="Issues on a page.", least=1, most=100),
            Option(name="room", default=None, help="Which room."),
            Option(name="token", default=None, help="What must not be."),
        )
    ),
)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *((f"archived={word}", True) for word in (*TRUE, "YES", " on ")),
        *((f"archived={word}", False) for word in (*FALSE, "No")),
        ("page_size=100", 100),
        (" page_size = 7 ", 7),
        ("room=1", "1"),
        ("room=a=b", "a=b"),
        ("room=회의실 2", "회의실 2"),
    ],
)
def test_a_value_is_of_the_type_of_its_default(written: str, value: object) -> None:
    name = written.partition("=")[0].strip()
    options = changed(KIND, {}, [written])
    assert options == {name: value}
    assert type(options[name]) is type(value)


def test_an_empty_value_sets_an_option_back_and_the_others_stay() -> None:
    stored = {"archived": True, "room": "1"}
    assert changed(KIND, stored, ["archived=", "page_size=2", "page_size=3"]) == {"room": "1", "page_size": 3}
    assert stored == {"archived": True, "room": "1"}


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("pagesize=2", "page_size"),
        ("=2", "without a name"),
        ("archived", "--option archived=VALUE"),
        ("archived=maybe", "yes or no"),
        ("page_size=0", "from 1 up to 100"),
        ("page_size=101", "from 1 up to 100"),
        ("page_size=2.5", "whole number"),
        ("page_size=٣", "whole number"),
        ("room=a\x1bb", "printable"),
        ("room=" + "x" * 2001, "2000"),
        ("token=c4nary", "secret"),
        ("room=https://host/file?id={id}&access_token=c4nary", "secret"),
        ("room=https://kim:c4nary@host/", "secret"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(written: str, told: str) -> None:
    with pytest.raises(UsageError) as refused:
        changed(KIND, {}, [written])
    assert told in str(refused.value)
    assert "c4nary" not in str(refused.value)


@given(st.lists(st.text(max_size=30) | st.sampled_from(["room=", "page_size=1", "archived=no"]), max_size=4))
def test_nothing_but_a_declared_option_of_its_type_comes_out(written: list[str]) -> None:
    try:
        options = changed(KIND, {}, written)
    except UsageError:
        return
    types = {"archived": bool, "page_size": int, "room": str, "token": str}
    assert all(type(value) is types[name] for name, value in options.items())


@pytest.mark.parametrize("name", kind_names())
def test_every_kind_s_options_may_be_set_to_their_defaults(name: str) -> None:
    kind = find_kind(name)
    for option in kind.features.options:
        if option.default is not None:
            assert changed(kind, {}, [f"{option.name}={option.default}"]) == {option.name: option.default}
