"""By what comments, history entries and attachments are known again."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from db.loader.keys import attachment_keys, change_keys, comment_keys
from db.rows import AttachmentRow, ChangeRow, CommentRow

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def test_the_trackers_own_id_is_the_key_whatever_else_changes() -> None:
    before = CommentRow(source_id="c1", number=1, author="ann", content="x")
    assert comment_keys([before]) == comment_keys([replace(before, number=2, author="bob", content="y")])


def test_an_edited_comment_without_an_id_keeps_its_key() -> None:
    for comment in (
        CommentRow(number=3, content="x"),
        CommentRow(author="ann", commented_at=DAY, content="x"),
    ):
        assert comment_keys([comment]) == comment_keys([replace(comment, content="edited")])


def test_identical_history_entries_have_a_key_each() -> None:
    entry = ChangeRow(changed_by="ann", changed_at=DAY, field_name="status", new_value="open")
    keys = change_keys([entry, entry, entry])
    assert len(set(keys)) == 3
    assert keys[:2] == change_keys([entry, entry])


def test_words_that_only_render_a_history_entry_are_no_part_of_its_key() -> None:
    entry = ChangeRow(field_name="status", new_value="open", description="a minute ago")
    assert change_keys([entry]) == change_keys([replace(entry, description="two minutes ago")])
    told = ChangeRow(description="ann closed it")
    assert change_keys([told]) != change_keys([replace(told, description="bob closed it")])


def test_an_endless_id_becomes_a_short_key() -> None:
    (key,) = attachment_keys([AttachmentRow(source_id="9" * 100_000)])
    assert len(key) < 250


def test_keys_stay_what_they_were() -> None:
    # Stored rows are matched by them: another way to make them would store everything twice.
    entry = ChangeRow(changed_by="앤", changed_at=DAY, field_name="status", old_value=None, new_value="open")
    assert change_keys([entry]) == ["fp:84f3b1c9c777a176a259aee9bedd0d5c"]
    assert comment_keys([CommentRow(source_id="7"), CommentRow(number=7)]) == ["id:7", "no:7"]


texts = st.none() | st.sampled_from(["", "a", "a#2", "b", "1:a"]) | st.text(max_size=3)


@given(st.lists(st.builds(CommentRow, source_id=texts, author=texts), max_size=6))
def test_no_two_children_of_an_issue_share_a_key(comments: list[CommentRow]) -> None:
    assert len(set(comment_keys(comments))) == len(comments)


@given(st.lists(texts, min_size=2, max_size=2), st.lists(texts, min_size=2, max_size=2))
def test_different_entries_have_different_keys(one: list[str | None], other: list[str | None]) -> None:
    first, second = (ChangeRow(old_value=values[0], new_value=values[1]) for values in (one, other))
    assert (change_keys([first]) == change_keys([second])) == (one == other)
