"""``doctor``: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cli.arguments import AsJson
from cli.output import print_json, say

_SIGNS = {"ok": "ok", "note": "note", "problem": "PROBLEM"}


def doctor(
    online: Annotated[bool, typer.Option("--online", help="log in to each of your trackers as well")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at the database, the key, the disk, the clock, trackers and workers, and say what is wrong.

    Tells where everything is, too. The exit status is 5 if the database cannot be used, and 4 if something
    else is wrong.
    """
    from cli.exit_codes import FAILED_ISSUES, UNREACHABLE
    from pipeline.doctor import examine

    findings = []
    for finding in examine(online=online):
        findings.append(finding)
        if not as_json:
            say(f"{_SIGNS[finding.state]:<8} {finding.name:<14} {finding.detail}")
            if finding.advice is not None:
                say(f"{'':<24}{finding.advice}")
    if as_json:
        print_json([asdict(finding) for finding in findings])
    problems = {finding.name for finding in findings if finding.state == "problem"}
    if problems & {"database", "schema", "settings"}:
        raise typer.Exit(UNREACHABLE)
    if problems:
        raise typer.Exit(FAILED_ISSUES)
