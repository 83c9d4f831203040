"""A query on the command line: all words that are no options, quoted or not."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperCommand

Query = Annotated[
    list[str],
    typer.Argument(
        metavar="QUERY",
        help="words, +required, -excluded, 'a phrase', an issue number, or a question in words",
    ),
]


def joined(words: list[str]) -> str:
    """The query that was typed."""
    return " ".join(words)


class QueryCommand(TyperCommand):
    """A command with a query, which may begin with a minus: ``-word`` excludes, ``--word`` is an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the options first, so that nothing of the query is taken for one."""
        return super().parse_args(ctx, self._ordered(ctx, args))

    def _ordered(self, ctx: Any, args: list[str]) -> list[str]:
        """Options first, then everything else behind ``--``, where nothing is taken for an option."""
        valued = {
            name: not getattr(param, "is_flag", False)
            for param in self.get_params(ctx)
            if param.param_type_name == "option"
            for name in (*param.opts, *param.secondary_opts)
        }
        options: list[str] = []
        words: list[str] = []
        rest = iter(args)
        for one in rest:
            if one == "--":
                words += rest
            elif one.startswith("--") or one in valued:
                options.append(one)
                if valued.get(one):
                    value = next(rest, None)
                    if value is None:  # the parser says that it lacks
                        return [*words, *options]
                    options.append(value)
            else:
                words.append(one)
        return [*options, "--", *words]
