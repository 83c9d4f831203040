"""The commands put together, and the one place where an error becomes a sentence and an exit status.

0    all well
1    a defect
2    wrong usage: an option, a query, a name
3    login refused or not permitted
4    finished, but some issues failed
5    tracker or database unreachable, or not what it should be
130  interrupted; can be resumed
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer

from cli import (
    audit,
    crawl,
    database,
    demo,
    export,
    favorites,
    history,
    quarantine,
    query,
    receipt,
    reparse,
    report,
    runs,
    schedule,
    search,
    sessions,
    show,
    similar,
    stats,
    trackers,
    users,
    workers,
)
from cli.output import complain
from cli.streams import OutputLost, give_up, prepare

app = typer.Typer(
    name="ims-crawl",
    help="Crawl issue trackers into PostgreSQL and search what was crawled. Try it without any set-up: demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo.demo)
app.command("crawl")(crawl.crawl)
app.command("resume")(crawl.resume)
app.command("search")(search.search)
app.command("show")(show.show)
app.command("similar")(similar.similar)
app.command("history")(history.history)
app.command("sessions")(sessions.sessions)
app.command("receipt")(receipt.receipt)
app.command("reparse")(reparse.reparse)
app.command("stats")(stats.stats)
app.command("report")(report.report)
app.command("export")(export.export)
app.command("query")(query.query)
app.command("audit")(audit.audit)
app.command("runs")(runs.runs)
app.command("news")(runs.news)
app.command("worker")(workers.worker)
app.command("workers")(workers.workers)
app.add_typer(schedule.app, name="schedule")
app.add_typer(favorites.app, name="favorites")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(trackers.app, name="trackers")
app.add_typer(users.app, name="users")
app.add_typer(database.app, name="db")


def run(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its status."""
    prepare()
    sys.exit(_flushed(_run(sys.argv[1:] if arguments is None else arguments)))


def _flushed(status: int) -> int:
    """Write out what is still buffered; the interpreter would do it after the exit status is settled."""
    try:
        sys.stdout.flush()
    except OutputLost as lost:
        return _lost(lost)
    return status


def _lost(lost: OutputLost) -> int:
    give_up(1)
    if lost.is_closed_pipe:  # whoever read the output has seen enough
        return 0
    complain(str(lost))
    return 5


def _run(arguments: list[str]) -> int:
    if not arguments:
        arguments = ["--help"]
    try:
        status: Any = typer.main.get_command(app).main(arguments, "ims-crawl", standalone_mode=False)
    except typer.TyperException as error:
        complain(f"{_sentence(error.format_message())} See ims-crawl --help, or the command's own.")
        return 2
    except (typer.Abort, KeyboardInterrupt):
        complain("Interrupted.")
        return 130
    except typer.Exit as error:
        return error.exit_code
    except OutputLost as lost:
        return _lost(lost)
    except Exception as error:
        return _explain(error)
    return status if isinstance(status, int) else 0


def _explain(error: Exception) -> int:
    from cli.exit_codes import sentence, status_of
    from db.refusals import in_our_words

    error = in_our_words(error)
    status = status_of(error)
    if status is not None:
        complain(sentence(error))
        return status
    complain(f"This is a defect of ims-crawl: {type(error).__name__}. {_keep_trace(error)}")
    return 1


def _keep_trace(error: Exception) -> str:
    """Write the trace to a file of this account: a terminal or a log collector is not the place for it."""
    from db.files import data_folder, whole_file
    from db.settings import read_settings
    from pipeline.logs import redact

    try:
        path = data_folder(read_settings().home) / "last-defect.txt"
        with whole_file(path) as file:
            file.write(redact("".join(traceback.format_exception(error))).encode("utf-8", "replace"))
    except Exception:  # the data folder itself may be what is broken
        return "Please report it."
    return f"Please report it with {path}."


def _sentence(message: str) -> str:
    return message if message.endswith((".", "?", "!")) else f"{message}."
