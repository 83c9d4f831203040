"""What a tracker could not be told is checked on the fetched issue."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from crawler.query import parse_direct
from crawler.records import AttachmentRecord, ChangeRecord, CommentRecord, IssueRecord, State
from pipeline.stages.selection import Selection

ISSUE = IssueRecord(
    issue_id="7",
    title="Connection timeout",
    status="Resolved",
    state=State.DONE,
    registered_date=datetime(2026, 1, 5, tzinfo=UTC),
    comments=(CommentRecord(content="재현됨"),),
)


def test_without_conditions_every_issue_is_taken() -> None:
    assert Selection().refusal(ISSUE) is None
    assert not Selection().is_needed


def test_the_whole_query_is_applied_comments_included() -> None:
    assert Selection(tree=parse_direct("+timeout +재현됨")).refusal(ISSUE) is None
    assert Selection(tree=parse_direct("+timeout -재현됨")).refusal(ISSUE) == "does not match the query"


def test_open_and_closed_go_by_the_normalised_state_and_other_words_by_the_trackers_own() -> None:
    assert Selection(status="closed").refusal(ISSUE) is None
    assert Selection(status="open").refusal(ISSUE) == "is not open"
    assert Selection(status="resolved").refusal(ISSUE) is None
    assert Selection(status="rejected").refusal(ISSUE) == "is not rejected"
    ours = {"in qa": "in_progress", "resolved": "open"}  # what the owner says comes first
    assert Selection(status="open", words=ours).refusal(ISSUE) is None
    assert Selection(status="open", words=ours).refusal(replace(ISSUE, status=" In\u00a0 QA")) is None
    assert Selection(status="closed", words=ours).refusal(ISSUE) == "is not closed"


def test_until_leaves_out_what_was_registered_at_or_after_it() -> None:
    assert Selection(until=datetime(2026, 1, 5, tzinfo=UTC)).refusal(ISSUE) == "is newer than 2026-01-05"
    assert Selection(until=datetime(2026, 1, 6, tzinfo=UTC)).refusal(ISSUE) is None


def test_people_are_told_by_a_part_of_their_name() -> None:
    issue = replace(ISSUE, reporter="Kim Minsu", owner=None)
    assert Selection(reporter="kim").refusal(issue) is None
    assert Selection(reporter="Lee").refusal(issue) == "has another reporter than Lee"
    assert Selection(owner="kim").refusal(issue) == "has another owner than kim"
    assert Selection(owner="kim").is_needed


def test_since_leaves_out_what_tells_of_nothing_at_or_after_it() -> None:
    def refusal(issue: IssueRecord, *since: int) -> str | None:
        return Selection(since=datetime(*since, tzinfo=UTC), zone=ZoneInfo("Asia/Seoul")).refusal(issue)  # type: ignore[misc, arg-type] # of a date

    last = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    assert refusal(replace(ISSUE, modified_date=last), 2026, 2, 3, 4, 5) is None
    for issue in (
        ISSUE,
        replace(ISSUE, closed_date=last),
        replace(ISSUE, comments=(CommentRecord(commented_at=last), CommentRecord())),
        replace(
            ISSUE, history=(ChangeRecord(changed_at=last), ChangeRecord(changed_at=ISSUE.registered_date))
        ),
        replace(ISSUE, attachments=(AttachmentRecord(attached_at=last),)),
    ):
        assert refusal(issue, 2026, 1, 5) is None
        assert refusal(issue, 2026, 2, 4) == "has not changed since 2026-02-04"
        assert (refusal(issue, 2026, 2, 3) is None) is (issue is not ISSUE)
    assert refusal(IssueRecord(issue_id="7"), 2026, 1, 5) is None, "nobody knows"
    a_day = datetime(2026, 1, 5, tzinfo=ZoneInfo("Asia/Seoul")).astimezone(UTC)
    assert refusal(replace(ISSUE, registered_date=a_day), 2026, 1, 5) is None, "some time of that day"
    assert refusal(replace(ISSUE, registered_date=a_day), 2026, 1, 6) is not None
