"""The tools: what an assistant may ask, each within one transaction that only reads, of whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any, Literal

import psycopg
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent

from crawler.errors import CrawlError, UsageError
from db.acting import Acting
from db.errors import DatabaseError
from db.statement import StatementRefused
from pipeline.assistant import answers, issue_page
from pipeline.assistant.arguments import (
    COUNTED,
    Characters,
    Days,
    FileNumber,
    HitOffset,
    Limit,
    Number,
    Offset,
    Pasted,
    Places,
    Rows,
    Span,
    State,
    Statement,
    TrackerName,
    When,
    Word,
    Words,
)
from pipeline.assistant.asker import LONGEST, Asker
from pipeline.assistant.budget import Budget
from pipeline.assistant.fence import fenced, plain
from pipeline.printable import escaped_unseen
from pipeline.reports.stats import count
from pipeline.search.filters import Filters, read_filters
from pipeline.search.moments import read_moment
from pipeline.search.products import any_begins, own_products
from pipeline.search.question import Question, ask
from pipeline.search.stored import find
from pipeline.search.stored_issue import issue_with_parts
from pipeline.settings import Settings


class Tools:
    """The tools of one server."""

    def __init__(self, find_asker: Callable[[Context], Asker], settings: Settings, home: Path) -> None:
        self._find_asker = find_asker
        self._settings = replace(settings, llm_url=None)  # an assistant is what asks
        self._home = home

    def search(
        self,
        ctx: Context,
        query: Words,
        product: Word | None = None,
        status: Word | None = None,
        state: State | None = None,
        tracker: TrackerName | None = None,
        owner: Word | None = None,
        reporter: Word | None = None,
        priority: Word | None = None,
        module: Word | None = None,
        created: Span | None = None,
        updated: Span | None = None,
        places: Places | None = None,
        sort: Literal["rank", "updated", "created"] = "rank",
        limit: Limit = 20,
        offset: HitOffset = 0,
    ) -> Annotated[CallToolResult, answers.SearchAnswer]:
        """Search stored issues: titles, descriptions, comments and the text of attached files, best first."""
        given = {
            "product": product, "status": status, "state": state, "tracker": tracker, "owner": owner,
            "reporter": reporter, "priority": priority, "module": module, "created": created,
            "updated": updated, "places": ",".join(places) if places else None,
        }  # fmt: skip
        with self._acting(ctx) as (asker, acting):
            if tracker is not None and not acting.value("asking", "tracker", {"name": tracker}):
                raise UsageError("There is no tracker of this name: a search without one tells their names.")
            filters = read_filters({name: value for name, value in given.items() if value is not None})
            question = self._understood(acting, query)
            found = self._find(acting, question, filters, sort=sort, everybody=asker.everybody)
            hits = found[offset : offset + limit]
            counted = f"more than {COUNTED}" if len(found) > COUNTED else f"{len(found)}"
            return self._answer(
                acting,
                answers.SearchAnswer,
                f"{len(hits)} of {counted} hits{_from(offset)}",
                sources=answers.sources_of(hits),
                understood=question.parsed.text,
                hits=[answers.only(answers.FoundHit, hit) for hit in hits],
            )

    def show(
        self,
        ctx: Context,
        issue: Number,
        tracker: TrackerName | None = None,
        file: FileNumber | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
        characters: Characters = 40_000,
    ) -> Annotated[CallToolResult, answers.IssueAnswer]:
        """Show an issue: fields, description, timeline, files, relations; with file, that file's text.

        limit and offset are of the timeline's events, or of the parts of the file's text.
        """
        budget = Budget(characters)
        with self._acting(ctx) as (_, acting):
            found = _the_issue(acting, issue, tracker)
            told = issue_with_parts(acting, issue, found["tracker"])
            page = issue_page.Page(offset, limit)
            shown = issue_page.shown(acting, told, file, page, budget)
            if shown is None:
                raise ToolError(f"The issue has {len(told['attachments'])} files: their numbers begin at 1.")
            what, parts = shown
            return self._answer(
                acting,
                answers.IssueAnswer,
                f"{what}{_from(offset)}{budget.told()}",
                sources=answers.sources_of([told]),
                issue_id=told["issue_id"],
                tracker=told["tracker"],
                title=told["title"],
                **parts,
            )

    def similar(
        self,
        ctx: Context,
        issue: Number | None = None,
        tracker: TrackerName | None = None,
        text: Pasted | None = None,
        only_open: bool = False,
        limit: Limit = 10,
    ) -> Annotated[CallToolResult, answers.SimilarAnswer]:
        """Find stored issues like one, or like a text such as a stack trace; the most alike first.

        Give issue or text, one of them.
        """
        with self._acting(ctx) as (_, acting):
            wanted = {"limit": limit + 1, "only_open": only_open}
            if (issue is None) == (text is None):
                raise UsageError("Give issue or text, one of them.")
            if issue is not None:
                found = _the_issue(acting, issue, tracker)
                rows = acting.rows("asking", "similar", {**wanted, "issue_pk": found["issue_pk"]})
            else:
                rows = acting.rows("asking", "similar_to_text", {**wanted, "text": text})
            more = "at least " if len(rows) > limit else ""
            return self._answer(
                acting,
                answers.SimilarAnswer,
                f"{min(len(rows), limit)} of {more}{len(rows)} similar issues",
                sources=answers.sources_of(rows[:limit]),
                hits=[answers.only(answers.SimilarHit, row) for row in rows[:limit]],
            )

    def issues_as_of(
        self, ctx: Context, at: When, product: Word | None = None, limit: Limit = 50, offset: Offset = 0
    ) -> Annotated[CallToolResult, answers.PastAnswer]:
        """Show the issues as they were at a time, worked out from their history; the newest rows first."""
        with self._acting(ctx) as (_, acting):
            moment = read_moment(at)
            wanted = {"at": moment, "product": product, "limit": limit, "offset": offset}
            rows = acting.rows("assistant", "as_of", wanted)
            total = rows[0]["total"] if rows else "no further" if offset else 0
            return self._answer(
                acting,
                answers.PastAnswer,
                f"{len(rows)} of {total} issues{_from(offset)}",
                sources=answers.sources_of(rows),
                at=moment,
                issues=[answers.only(answers.PastIssue, row) for row in rows],
            )

    def stats(self, ctx: Context, days: Days = 30) -> Annotated[CallToolResult, answers.StatsAnswer]:
        """Count sessions, issues, products, questions, and issues created and closed in the last days."""
        with self._acting(ctx) as (_, acting):
            counted = count(acting, days)
            return self._answer(
                acting,
                answers.StatsAnswer,
                "at most 10 products and 10 questions, the largest; everything else is counted",
                days=days,
                **counted,
            )

    def query(self, ctx: Context, text: Words) -> Annotated[CallToolResult, answers.QueryAnswer]:
        """Show how search understands a question, without searching."""
        with self._acting(ctx) as (_, acting):
            question = self._understood(acting, text)
            parsed = question.parsed
            return self._answer(
                acting,
                answers.QueryAnswer,
                "nothing",
                text=parsed.text,
                language=parsed.language,
                method=parsed.method,
                confidence=parsed.confidence,
                explanation=parsed.explanation,
                filters=dict(parsed.filters),
                synonyms=list(question.others),
            )

    def sql(
        self,
        ctx: Context,
        statement: Statement,
        limit: Rows = 100,
    ) -> Annotated[CallToolResult, answers.SqlAnswer]:
        """Run one query over the schema ims, in a transaction that only reads, with a limit of time and rows.

        Tables: ims.issues, ims.issue_comments, ims.issue_history, ims.issue_relations, ims.attachments,
        ims.file_text_parts, ims.trackers, ims.crawl_sessions. Views: ims.v_issue_events, ims.v_issue_states,
        ims.v_product_stats, ims.v_issue_files. Functions: ims.search_issues(words), ims.issues_as_of(time),
        ims.issue_flow(from, to, bucket), ims.backlog_age(), ims.time_to_close(product, from, to).
        Columns: SELECT column_name FROM information_schema.columns WHERE table_schema = 'ims'.
        """
        with self._acting(ctx) as (asker, acting):
            told = asker.run(statement, most=limit)
            more = "of more" if told.more else f"of {len(told.rows) + told.left_out}"
            large = f"; {told.left_out} are too large or nested too deeply" if told.left_out else ""
            return self._answer(
                acting,
                answers.SqlAnswer,
                f"{len(told.rows)} rows {more}{large}",
                sources=answers.sources_of(_with_urls(told.columns, told.rows)),
                columns=told.columns,
                rows=told.rows,
            )

    @contextmanager
    def _acting(self, ctx: Context) -> Iterator[tuple[Asker, Acting]]:
        try:
            asker = self._find_asker(ctx)
            with asker.acting() as acting:
                yield asker, acting
        except (CrawlError, DatabaseError, StatementRefused) as error:
            raise ToolError(str(error)) from error
        except psycopg.errors.QueryCanceled as error:
            raise ToolError(f"This took longer than {LONGEST} s: ask for less.") from error

    def _understood(self, acting: Acting, text: str) -> Question:
        products = own_products(acting)
        return ask(
            text,
            self._settings,
            home=self._home,
            products=products,
            has_product=any_begins(products),
        )

    def _find(
        self, acting: Acting, question: Question, filters: Filters, *, sort: str, everybody: bool
    ) -> list[dict[str, Any]]:
        """The hits, and one more than are counted where there are more."""
        found = find(
            acting,
            question.parsed,
            filters,
            wider=question.wider,
            limit=COUNTED + 1,
            sort=sort,
            everybody=everybody,
        )
        return found.hits

    def _answer(self, acting: Acting, shape: type[answers.Answer], shown: str, **told: Any) -> CallToolResult:
        """What is told, with what it leaves out and until when what is stored is complete."""
        (fresh,) = acting.rows("assistant", "freshness", {})
        complete = fresh["complete_as_of"] and fresh["complete_as_of"].astimezone(UTC)
        as_of = f"complete as of {complete:%Y-%m-%d %H:%M} UTC" if complete else "no crawl is complete yet"
        later = "; a later crawl has not ended, or failed" if fresh["unfinished"] else ""
        sentence = f"{shown}, {as_of}{later}."
        answer = shape.model_validate(
            {**plain(_dumped(told)), "left_out": sentence, "complete_as_of": complete}
        )
        document = escaped_unseen(answer.model_dump_json(exclude={"left_out", "caution"}, exclude_none=True))
        return CallToolResult(
            content=[TextContent(type="text", text=f"{sentence}\n{fenced(document)}")],
            structured_content=answer.model_dump(mode="json"),
        )


def _the_issue(acting: Acting, issue_id: str, tracker: str | None) -> dict[str, Any]:
    """An issue by its number; unlike ``find_issue`` without a word of what is stored in what is refused."""
    rows = acting.rows("issue", "found", {"issue_id": issue_id, "tracker": tracker})
    if not rows:
        raise UsageError("No such issue is stored: look for it with search.")
    if len({row["tracker"] for row in rows if row["user_id"] == rows[0]["user_id"]}) > 1:
        raise UsageError("Several trackers have such an issue: say which tracker, search tells their names.")
    return rows[0]


def _dumped(told: dict[str, Any]) -> dict[str, Any]:
    def one(value: Any) -> Any:
        if isinstance(value, answers.Shape):
            return value.model_dump()
        return [one(each) for each in value] if isinstance(value, list) else value

    return {name: one(value) for name, value in told.items()}


def _with_urls(columns: list[str], rows: list[list[Any]]) -> list[dict[str, Any]]:
    if "url" not in columns:
        return []
    place = columns.index("url")
    return [{"url": row[place]} for row in rows]


def _from(offset: int) -> str:
    return f", from the {offset + 1:,}th on" if offset else ""
