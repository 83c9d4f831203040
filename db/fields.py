"""Which of our columns a tracker's history speaks of, whatever it calls the field."""

from __future__ import annotations

_NAMES: dict[str, str] = {
    "title": "title summary subject 제목 요약 件名 題名 タイトル",
    "description": "description body 설명 내용 説明 内容",
    "product": "product 제품 製品",
    "status": "status state 상태 ステータス 状態",
    "priority": "priority 우선순위 優先度",
    "severity": "severity 심각도 重要度 重大度",
    "issue_type": "type issuetype tracker 유형 タイプ 種別",
    "reporter": "reporter author 보고자 등록자 報告者",
    "owner": "owner assignee assignedto 담당자 担当者",
    "manager": "manager 관리자 管理者",
    "project_code": "projectcode",
    "project_name": "projectname project 프로젝트 プロジェクト",
    "site": "site 사이트 サイト",
    "customer": "customer 고객 고객사 顧客",
    "module": "module component components 모듈 モジュール",
    "found_version": "foundversion version versions affectsversion",
    "fixed_version": "fixedversion fixversion fixversions",
    "target_version": "targetversion milestone targetmilestone",
}
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names.split()}


def column_of(field_name: str | None) -> str | None:
    """Return the column of ``issues`` that a tracker's field name means, None where nobody knows.

    Case, spaces, hyphens and underscores make no difference: "Assigned To", "assigned_to" and
    "assignedto" are one.
    """
    if field_name is None:
        return None
    return _COLUMN_OF.get(field_name.casefold().replace(" ", "").replace("_", "").replace("-", ""))
