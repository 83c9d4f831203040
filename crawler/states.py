"""One of four states for every tracker's own word."""

from __future__ import annotations

import re
from typing import Final

from crawler.records import State

_WORDS: Final = {
    State.OPEN: """
        open, opened, new, unconfirmed, confirmed, to do, todo, reopened, re-opened, reopen, backlog,
        triage, needs triage, needinfo, registered, received, submitted, requested, unassigned, created,
        pending, postponed, deferred, on hold, hold, waiting, suspended, selected for development,
        open issue, needs info, needs_info, infoneeded_new, planned, 신규, 등록, 접수, 열림, 재오픈,
        다시 열림, 대기, 보류, 연기, 할 일, 미처리, 新規, 未着手, 未対応, オープン, 受付, 再オープン, 保留,
        待ち, 延期, 起票, 登録
    """,
    State.IN_PROGRESS: """
        in progress, in_progress, inprogress, assigned, accepted, started, working, work in progress, wip,
        doing, under review, in review, review, reviewing, in development, development, testing, in testing,
        test, feedback, analysis, analyzing, investigating, active, acknowledged, patch available,
        ready for review, infoneeded, implementing, processing, 진행, 진행중, 진행 중, 처리중, 처리 중,
        할당, 할당됨, 배정, 검토, 검토중, 검토 중, 분석중, 분석 중, 테스트, 진행 중인 작업, 進行中, 対応中,
        処理中, 作業中, 担当者決定, 割り当て済み, 割当済, 確認中, レビュー中, 調査中, フィードバック,
        テスト中
    """,
    State.DONE: """
        closed, close, closed_p, resolved, resolve, done, fixed, verified, rejected, reject, completed,
        complete, finished, released, cancelled, canceled, wontfix, won't fix, wont fix, invalid, duplicate,
        worksforme, works for me, merged, shipped, obsolete, declined, solved, delivered, not a bug,
        not_planned, abandoned, 종료, 완료, 해결, 해결됨, 닫힘, 반려, 거절, 취소, 처리완료, 처리 완료, 검증,
        검증완료, 수정완료, 完了, 終了, 解決, 解決済み, 解決済, 処理済み, クローズ, 却下, 中止, 対応済み,
        対応済, 検証済み, 修正済み, 取消
    """,
}
_STATES: Final = {
    word.casefold(): state for state, words in _WORDS.items() for word in re.split(r",\s*", words.strip())
}
_GAPS: Final = re.compile(r"[\s\xa0]+")


def state_of(word: str | None) -> State:
    """The state that a tracker's status word stands for.

    Words of IMS, Trac, Redmine, Jira, Bugzilla, GitHub and GitLab, in English, Korean and Japanese. Upper and
    lower case do not matter. A word that nobody knows, and no word at all, is `State.UNKNOWN`: a guess would
    make a closed issue look open.
    """
    if not word:
        return State.UNKNOWN
    plain = _GAPS.sub(" ", word).strip().casefold()
    return _STATES.get(plain) or _STATES.get(plain.replace("_", " ").replace("-", " "), State.UNKNOWN)
