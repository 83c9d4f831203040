"""The commands by what one wants to do, each loaded when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from cli.examples import EXAMPLES
from cli.plain_values import check_the_rest
from cli.query_words import QueryCommand

# What the first screen shows; a command is an attribute of a module of this package, a group its app.
SECTIONS = {
    "Start": {"demo": "demo:demo", "trackers": "trackers:app", "crawl": "crawl:crawl"},
    "Find and read issues": {
        "search": "search:search",
        "show": "show:show",
        "similar": "similar:similar",
        "attachments": "attachments:app",
        "favorites": "favorites:app",
        "history": "history:history",
        "serve": "serve:serve",
        "query": "query:query",
    },
    "Look after crawls": {
        "sessions": "sessions:sessions",
        "resume": "crawl:resume",
        "receipt": "receipt:receipt",
        "reparse": "reparse:reparse",
        "quarantine": "quarantine:app",
    },
    "Crawl by schedule": {
        "schedule": "schedule:app",
        "worker": "workers:worker",
        "workers": "workers:workers",
        "runs": "runs:runs",
        "news": "runs:news",
    },
    "Report and export": {
        "stats": "stats:stats",
        "report": "report:report",
        "export": "export:export",
        "mcp": "mcp:mcp",
    },
    "Administer": {
        "doctor": "doctor:doctor",
        "users": "users:app",
        "db": "database:app",
        "audit": "audit:audit",
    },
}
ASKING = {"crawl", "search", "query"}  # they take a query
PLACES = {name: place for section in SECTIONS.values() for name, place in section.items()}


class Group(TyperGroup):
    """Commands under a common name; without one of them, and after ``help``, it explains itself."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Ask for the help where no command is given, and where help is asked for in words."""
        if ctx.resilient_parsing:  # a shell completes: nothing is asked for, and no value is checked
            _take_as_typed(self, ctx)
        else:
            check_the_rest(self, ctx)
            if not args:
                args = ["--help"]
            elif args[0] == "help":
                args = [*args[1:], "--help"]
        return super().parse_args(ctx, args)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name; None: there is none."""
        command: Any = super().get_command(ctx, cmd_name)
        if command is not None:
            (_take_as_typed if ctx.resilient_parsing else check_the_rest)(command, ctx)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands with what each does."""
        self._list("Commands", self.list_commands(ctx), ctx, formatter)

    def _list(self, title: str, names: list[str], ctx: Any, formatter: Any) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in names]
        with formatter.section(title):
            # The first sentence, however long: a line that is cut explains nothing.
            formatter.write_dl(
                [(name, command.get_short_help_str(1000)) for name, command in commands if command]
            )


class Root(Group):
    """All commands, in sections."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands()

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, without loading what they name."""
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """List the commands of each section with what they do."""
        for title, names in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, summary(name)) for name in names])


class _Commands(dict[str, Any]):
    """The commands by name, made when first asked for: most runs need one of them."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(PLACES))

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            return default
        if self[name] is None:
            self[name] = _load(name)
        return self[name]


def summary(name: str) -> str:
    """The first sentence about a command, without making the command, which takes longer."""
    found = _place(name)
    told = found.info.help if isinstance(found, typer.Typer) else found.__doc__
    first = " ".join((told or "").strip().partition("\n\n")[0].split())
    return first.partition(". ")[0].rstrip(".") + "."


def _place(name: str) -> Any:
    module, _, attribute = PLACES[name].partition(":")
    return getattr(import_module(f"cli.{module}"), attribute)


def _load(name: str) -> Any:
    found = _place(name)
    if not isinstance(found, typer.Typer):
        holder = typer.Typer(add_completion=False, rich_markup_mode=None)
        holder.command(name, cls=QueryCommand if name in ASKING else None)(found)
        return _with_examples(typer.main.get_command(holder), name)
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.add_typer(found, name=name, cls=Group)
    group: Any = typer.main.get_group(holder).commands[name]
    for verb, command in group.commands.items():
        _with_examples(command, f"{name} {verb}")
    return _with_examples(group, name)


def _take_as_typed(command: Any, ctx: Any) -> None:
    """Leave values as they are: what checks them takes longer to load than a key press may take."""
    for param in command.get_params(ctx):
        param.process_value = lambda ctx, value: value


def _with_examples(command: Any, name: str) -> Any:
    if name in EXAMPLES:
        # \b: the lines stay as they are.
        command.epilog = "\n".join(["\b", "Examples:", *(f"  ims-crawl {line}" for line in EXAMPLES[name])])
    return command
