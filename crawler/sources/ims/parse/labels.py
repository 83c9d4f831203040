"""What IMS calls its fields, columns and the parts of a heading: in English, Korean and Japanese.

The English names of fields are known of its pages; the others are how trackers of such firms say it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_ENDS: Final = " \t\n:：*＊·.-"
_LONGEST: Final = 60  # characters of a label
_BLANKS = re.compile(r"\s+")


@lru_cache(maxsize=2048)  # the pages of a tracker have the same labels
def _key(label: str) -> str:
    key = label.strip(_ENDS).lower()
    return key if key.isascii() else _BLANKS.sub("", key)


def key_of(label: str) -> str:
    """A label as it is looked up: small letters, no marks around it, in Korean and Japanese no blanks.

    Args:
        label: on one line; what is too long for a label stays as it is.
    """
    return label if len(label) > _LONGEST else _key(label)


def _words(listed: str) -> frozenset[str]:
    return frozenset(map(key_of, listed.split(",")))


def _by_word(**words: str) -> Mapping[str, str]:
    return {word: name for name, listed in words.items() for word in _words(listed)}


FIELDS: Final = _by_word(
    title="""
        subject, title, 제목, 件名, 題名, タイトル
    """,
    product="""
        product, product name, 제품, 제품명, 製品, 製品名
    """,
    status="""
        status, 상태, 진행 상태, 처리 상태, 状態, ステータス, 進捗状況
    """,
    priority="""
        priority, urgency, 우선순위, 긴급도, 優先度, 優先順位, 緊急度
    """,
    severity="""
        severity, 심각도, 중요도, 重要度, 深刻度
    """,
    issue_type="""
        category, 분류, 카테고리, 유형, 이슈 유형, 分類, カテゴリ, カテゴリー, 種別
    """,
    project_name="""
        project, project name, 프로젝트, 프로젝트명, プロジェクト, プロジェクト名
    """,
    customer="""
        customer, customer name, 고객, 고객사, 고객명, 顧客, 顧客名, お客様
    """,
    site="""
        site, site name, 사이트, 사이트명, サイト, サイト名
    """,
    module="""
        module, 모듈, モジュール
    """,
    found_version="""
        found version, 발견 버전, 発見バージョン, 検出バージョン, 発生バージョン
    """,
    fixed_version="""
        fixed version, 수정 버전, 修正バージョン
    """,
    target_version="""
        target version, 목표 버전, 目標バージョン, 対象バージョン
    """,
    reporter="""
        reporter, register, registrant, registered by, 등록자, 보고자, 작성자, 登録者, 報告者, 起票者
    """,
    owner="""
        owner, 소유자, 책임자, オーナー, 責任者
    """,
    manager="""
        manager, 관리자, 매니저, 管理者, マネージャー
    """,
    handler="""
        handler, 담당자, 처리자, 担当者, 処理者
    """,
    registered_date="""
        registered date, registration date, register date, reg date, created date, issued
        date, 등록일, 등록일자, 등록일시, 등록 날짜, 登録日, 登録日時, 起票日, 起票日時
    """,
    modified_date="""
        modified date, modification date, last modified, last modified date, updated date,
        update date, 수정일, 수정일자, 수정일시, 변경일, 변경일시, 更新日, 更新日時, 変更日, 変更日時
    """,
    closed_date="""
        closed date, close date, 종료일, 종료일시, 완료일, 완료일시, 종결일, 終了日, 完了日,
        完了日時, クローズ日
    """,
)
PEOPLE: Final = frozenset({"reporter", "owner", "manager", "handler"})
DATES: Final = frozenset({"registered_date", "modified_date", "closed_date"})

HISTORY: Final = _by_word(
    number="""
        no, no., number, #, seq, 번호, 순번, 番号
    """,
    when="""
        date, time, date time, modified date, changed date, registered date, change date,
        일시, 일자, 날짜, 시간, 변경일, 변경일시, 변경일자, 수정일, 수정일시, 등록일, 등록일시,
        日付, 日時, 変更日, 変更日時, 更新日, 更新日時
    """,
    who="""
        user, user name, name, by, author, modifier, changed by, modified by, registrant,
        사용자, 이름, 변경자, 수정자, 작성자, 등록자, 담당자, 처리자, ユーザー, ユーザ, 利用者,
        変更者, 更新者, 担当者, 氏名, 名前
    """,
    what="""
        details, detail, description, history, content, contents, change, changes, 내용, 상세,
        상세 내용, 변경 내용, 변경 사항, 변경 이력, 이력, 内容, 詳細, 変更内容, 変更点, 更新内容, 履歴
    """,
)

RELATED: Final = _by_word(
    number="""
        issue no, issue no., issue number, issue id, issue, 이슈 번호, 이슈, 課題番号, 課題, イシュー番号
    """,
    relation="""
        relation, relation type, relationship, type, 관계, 관계 유형, 연관 관계, 연관 유형, 関係,
        関連, 関連種別
    """,
    title="""
        subject, title, 제목, 件名, 題名, タイトル
    """,
)

HEADING: Final = _by_word(
    who="""
        registrant, register, registered by, author, writer, user, reporter, by, name, 등록자,
        작성자, 이름, 登録者, 作成者, 投稿者, 記入者, 名前
    """,
    when="""
        registered date, registration date, register date, reg date, created date, date,
        등록일, 등록일자, 등록일시, 작성일, 작성일자, 작성일시, 日付, 日時, 登録日, 登録日時,
        作成日, 作成日時, 投稿日, 投稿日時
    """,
    changed="""
        modified date, last modified, updated date, 수정일, 수정일시, 更新日, 更新日時, 修正日, 修正日時
    """,
)

PRIVATE: Final = _words("""
    internal, private, internal only, staff only, confidential, 내부, 내부용, 비공개, 사내, 사내용,
    非公開, 社内, 社内限定, 内部, 内部用
""")
DESCRIPTION: Final = _words("""
    issue description, description, issue details, details, 이슈 설명, 이슈 내용, 설명, 내용, 상세 내용,
    説明, 内容, 詳細, 課題の説明
""")
