"""What spares a command the checks of its values: it must change none, and let none pass that is refused."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.app import app
from cli.commands import PLACES, summary
from cli.plain_values import _is_number, _is_plain, _same

ROOT: Any = typer.main.get_command(app)
CONTEXT: Any = ROOT.make_context("ims-crawl", ["query", "x"], resilient_parsing=True)


def _parameters() -> list[Any]:
    commands = [ROOT.commands.get(name) for name in PLACES]
    every = [one for command in commands for one in (command, *getattr(command, "commands", {}).values())]
    return [param for command in every for param in command.get_params(CONTEXT) if param.callback is None]


PARAMETERS = _parameters()
texts = st.text(st.characters(), max_size=20) | st.sampled_from(["open", "rank", "1", "-1", "\udcff", "\0"])
values = st.none() | texts | st.integers(-5, 2000) | st.lists(texts).map(tuple)


@given(param=st.sampled_from(PARAMETERS), value=values)
@settings(max_examples=2000)
def test_a_plain_value_is_what_the_check_gives_back(param: Any, value: Any) -> None:
    if _is_plain(param, value):
        checked = type(param).process_value(param, CONTEXT, value)
        assert _same(param, value) == checked
        assert type(checked) is type(_same(param, value))


@given(
    param=st.sampled_from([param for param in PARAMETERS if param.type_descriptor.annotation is int]),
    value=st.integers(-5, 2000).map(str) | st.from_regex(r"[0-9+ ._]{1,12}", fullmatch=True) | texts,
)
@settings(max_examples=1000)
def test_a_number_is_the_one_that_the_check_makes_of_it(param: Any, value: str) -> None:
    if _is_number(param, value):
        assert type(param).process_value(param, CONTEXT, value) == int(value)


@pytest.mark.parametrize("name", PLACES)
def test_a_summary_is_what_the_command_says_of_itself(name: str) -> None:
    assert summary(name) == ROOT.commands.get(name).get_short_help_str(1000)
