"""``attachments``: the attached files of an issue, listed, opened, saved, and their texts read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import AsJson, file_names, trackers
from cli.output import complain, invocation, one_line, print_json, print_table, safe, say, tell_done

app = typer.Typer(help="List, open and save the attached files of an issue, and read their texts.")

Issue = Annotated[str, typer.Argument(help="the issue's number or key")]
Name = Annotated[
    str | None,
    typer.Argument(
        help="the file's name, its beginning, or its number in the list; none where there is one file",
        autocompletion=file_names,
    ),
]
Tracker = Annotated[
    str | None, typer.Option(help="the tracker, if several have this issue", autocompletion=trackers)
]


@app.command("list")
def list_(issue: Issue, tracker: Tracker = None, as_json: AsJson = False) -> None:
    """List an issue's attached files: kind, size, whether the file is here and its text was read."""
    from pipeline.bootstrap import start
    from pipeline.completion import note_files

    program = start(asks_only=True)
    files = _files(program.user_id, issue, tracker)
    note_files(issue, [each["filename"] for each in files])
    if as_json:
        print_json([_told(program.home, each) for each in files])
        return
    print_table(
        ("no>", "name", "kind", "bytes>", "here", "text", "also in"),
        [
            (
                each["number"],
                each["filename"],
                each["kind"] or each["file_type"],
                each["file_size"],
                "yes" if each["downloaded"] else _absence(each),
                _text(each),
                ", ".join(each["also_in"]),
            )
            for each in files
        ],
        empty=f"Issue {issue} has no attached files.",
    )


@app.command("text")
def text(
    issue: Issue,
    name: Annotated[
        str | None,
        typer.Argument(
            help="as for list; also a place as search shows it: dump.zip!/server.log:1204",
            autocompletion=file_names,
        ),
    ] = None,
    numbers: Annotated[bool, typer.Option("--numbers", "-n", help="number the lines")] = False,
    tracker: Tracker = None,
    as_json: AsJson = False,
) -> None:
    """Show what was read of a file, page by page; files in an archive stand under their names."""
    from cli.pager import show_lines
    from pipeline.attachments.shown_text import lines_of, parts_of, read_place
    from pipeline.attachments.stored import chosen
    from pipeline.bootstrap import start

    program = start(asks_only=True)
    files = _files(program.user_id, issue, tracker)
    place = read_place(name, [each["filename"] for each in files])
    file = chosen(files, place.name)
    parts = parts_of(program.user_id, file)
    if as_json:
        print_json({"issue_id": issue, "filename": file["filename"], "kind": file["kind"], "parts": parts})
        return
    lines = list(lines_of(parts, place, numbered=numbers))
    show_lines(map(safe, (*_notes(file), *lines)))


@app.command("save")
def save(
    issue: Issue,
    name: Name = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="DIR", help="the folder; default: this one")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="all files of the issue that are here")] = False,
    force: Annotated[bool, typer.Option("--force", help="replace files that are there")] = False,
    tracker: Tracker = None,
    as_json: AsJson = False,
) -> None:
    """Write a file under its real name, made safe; never over another file without asking."""
    from cli.exit_codes import FAILED_ISSUES
    from crawler.errors import UsageError
    from pipeline.attachments.stored import chosen, copy, targets
    from pipeline.bootstrap import start

    if everything and name is not None:
        raise UsageError("Give the name of a file, or --all.")
    program = start(asks_only=True)
    files = _files(program.user_id, issue, tracker)
    wanted = files if everything else [chosen(files, name)]
    here = [each for each in wanted if each["downloaded"]] if everything else wanted
    folder = _folder(output)
    places = targets(here, folder)
    for _, target in places:
        if os.path.lexists(target) and not force:
            _ask_to_replace(target)
    written = []
    for file, target in places:
        copy(program.home, file, target)
        written.append({"filename": file["filename"], "path": str(target), "bytes": file["file_size"]})
    if as_json:
        print_json(written)
    else:
        for each in written:
            say(safe(each["path"]))
    missing = [each for each in wanted if each not in here]
    for each in missing:
        complain(f"{each['filename']!r} is not here. {_absence(each)}")
    if missing:
        raise typer.Exit(FAILED_ISSUES)


@app.command("open")
def open_(
    issue: Issue,
    name: Name = None,
    force: Annotated[
        bool, typer.Option("--force", help="also what may be a program, a script or a disk image")
    ] = False,
    tracker: Tracker = None,
    as_json: AsJson = False,
) -> None:
    """Open a copy of a file with the program that the system has for it."""
    from crawler.errors import UsageError
    from pipeline.attachments.stored import chosen, copy_to_look_at, danger
    from pipeline.bootstrap import start

    program = start(asks_only=True)
    file = chosen(_files(program.user_id, issue, tracker), name)
    if not force and (why := danger(program.home, file)) is not None:
        raise UsageError(f"{why}: it is not opened. Save it to look at it, or open it with --force.")
    target = copy_to_look_at(program.home, file)
    try:
        _hand_over(target)
    except UsageError:
        shutil.rmtree(target.parent, ignore_errors=True)
        raise
    tell_done(
        f"{file['filename']} is opened from a copy, {target}: what you change there is not kept.",
        {"filename": file["filename"], "path": str(target)},
        as_json=as_json,
    )


def file_lines(home: Path, issue: str, file: dict[str, Any]) -> Iterator[str]:
    """A file as ``show`` has it: what it is, then where it is or why it is not here."""
    kind = file["kind"] or file["file_type"]
    facts = [one_line(file["filename"])]
    if file["file_size"] is not None:
        facts.append(f"{file['file_size']:,} bytes")
    facts += [one_line(kind)] if kind else []
    facts += ["removed"] if file["removed_at"] else []
    facts += [_text(file)] if _text(file) else []
    facts += [f"also in {one_line(', '.join(file['also_in']))}"] if file["also_in"] else []
    yield f"  {', '.join(facts)}"
    if file["downloaded"] and file["sha256"]:
        from pipeline.attachments.paths import path_of

        yield f"      {one_line(str(home / path_of(file['sha256'])))}"
    else:
        yield f"      {one_line(_absence(file))}"


def how_to_open(issue: str) -> str:
    """The command that opens a file of an issue."""
    return f"Open one with: {invocation()} attachments open {one_line(issue)} NAME"


def _files(user_id: int, issue: str, tracker: str | None) -> list[dict[str, Any]]:
    from pipeline.attachments.stored import files_of

    return files_of(user_id, issue, tracker)


def _absence(file: dict[str, Any]) -> str:
    from pipeline.attachments.stored import absence

    return absence(file)


def _text(file: dict[str, Any]) -> str:
    """Whether the text of a file was read, in a word or two."""
    if file["text_extracted"]:
        members = f" of {file['members']} files" if file["members"] else ""
        return f"text{members} read" + (" in part" if file["capped"] or file["text_error"] else "")
    if file["text_error"]:
        return f"no text: {one_line(file['text_error'])}"
    return "no text" if file["kind"] else ""


def _notes(file: dict[str, Any]) -> Iterator[str]:
    if file["text_error"]:
        yield f"({file['text_error']})"
    if file["capped"]:
        yield "(Not all of it is kept: the beginning, the end, and lines of errors are.)"


def _told(home: Path, file: dict[str, Any]) -> dict[str, Any]:
    from pipeline.attachments.paths import path_of

    kept = (
        *("number", "filename", "kind", "file_type", "file_size", "sha256", "downloaded", "download_error"),
        *("download_skipped", "text_extracted", "text_error", "members", "capped", "also_in", "author"),
        *("attached_at", "description", "removed_at"),
    )
    is_here = file["downloaded"] and file["sha256"]
    path = str(home / path_of(file["sha256"])) if is_here else None
    return {**{name: file[name] for name in kept}, "path": path}


def _folder(output: Path | None) -> Path:
    from crawler.errors import UsageError

    folder = Path() if output is None else output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} is no folder to write to: {error.strerror or error}.") from error
    return folder


def _ask_to_replace(target: Path) -> None:
    from crawler.errors import UsageError

    question = f"{one_line(str(target))} is there already"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{question}: give another folder with -o, or --force to replace it.")
    if not typer.confirm(f"{question}. Replace it?", default=False, err=True):
        raise UsageError("Nothing was written.")


def _hand_over(path: Path) -> None:
    """Let the system open a file; none of our secrets go with it.

    Raises:
        UsageError: the system has no program for it.
    """
    from cli.children import child_environment
    from crawler.errors import UsageError

    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606 - as Windows itself does
        return
    command = "open" if sys.platform == "darwin" else "xdg-open"
    try:
        done = subprocess.run(  # noqa: S603 - the path is a new one of ours, and no option
            [command, str(path)],
            env=child_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError as error:
        raise UsageError(f"There is no {command} here: use attachments save instead.") from error
    if done.returncode:
        raise UsageError(f"{command} has no program for {path.name!r}: use attachments save instead.")
