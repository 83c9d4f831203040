"""The whole command line as one Markdown page, and ``llms.txt``, the contents that assistants look for.

``python -m cli.reference commands > docs/commands.md`` and ``python -m cli.reference contents > llms.txt``
write them anew, from the commands themselves and from README.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer

from cli.app import app
from cli.commands import SECTIONS
from cli.examples import EXAMPLES

_PROGRAM = "ims-crawl"
_HEAD = (
    "# The command line",
    "",
    "Made from the program itself (`python -m cli.reference commands > docs/commands.md`): "
    f"`{_PROGRAM} help COMMAND` says the same. Every command also takes `--help`.",
)


def commands() -> str:
    """Every command with its arguments, options and examples, as Markdown."""
    root: Any = typer.main.get_command(app)
    lines = [*_HEAD]
    for title, names in SECTIONS.items():
        lines += ["", f"## {title}"]
        for name in names:
            lines += _told(root.commands.get(name), name)
    return "\n".join(lines) + "\n"


def contents(readme: str) -> str:
    """What the project is and where its pages are, as https://llmstxt.org has it.

    Args:
        readme: the text of README.md, whose first paragraph and list of pages are taken.
    """
    title, about = readme.split("\n\n")[:2]
    pages = re.findall(r"^- (\[.+\]\(.+\): .+)$", readme.partition("\n## More\n")[2], re.MULTILINE)
    lines = [
        title,
        "",
        "> " + " ".join(about.split()),
        "",
        "An assistant that speaks the Model Context Protocol asks by `ims-crawl mcp` (docs/assistants.md); "
        "whoever writes SQL finds tables and functions in docs/models.md and docs/analytics.md. Row-level "
        "security decides who sees what: no command and no statement goes past it.",
        "",
        "## Pages",
        "",
        "- [README.md](README.md): what it does, how to begin, every setting",
        *(f"- {page}" for page in pages),
    ]
    return "\n".join(lines) + "\n"


def _told(command: Any, name: str) -> Iterator[str]:
    context = command.context_class(command, info_name=name)
    verbs = getattr(command, "commands", None)
    yield from ("", f"### {name}", "")
    yield from (command.help or "").split("\n")
    if verbs is not None:
        for verb, each in verbs.items():
            yield from _told(each, f"{name} {verb}")
        return
    usage = " ".join((_PROGRAM, name, *command.collect_usage_pieces(context)))
    yield from ("", "```", usage, "```")
    records = [param.get_help_record(context) for param in command.params]
    listed = [f"- `{what}`: {' '.join(how.split())}" for what, how in filter(None, records)]
    if listed:
        yield from ("", *listed)
    if name in EXAMPLES:
        yield from ("", "```sh", *(f"{_PROGRAM} {line}" for line in EXAMPLES[name]), "```")


def main() -> None:
    """Print the page that is named."""
    pages: dict[str, Callable[[], str]] = {
        "commands": commands,
        "contents": lambda: contents((Path(__file__).parent.parent / "README.md").read_text("utf-8")),
    }
    named = sys.argv[1:]
    if len(named) != 1 or named[0] not in pages:
        sys.exit(f"Say which page: {' or '.join(pages)}.")
    sys.stdout.write(pages[named[0]]())


if __name__ == "__main__":
    main()
