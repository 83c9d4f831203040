-- Which column of ims.issues a tracker's history speaks of, as db/fields.py has it: NULL where nobody knows. A test
-- holds the two against each other.
CREATE OR REPLACE FUNCTION ims.history_column(field_name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
    WHEN plain IN ('title', 'summary', 'subject', '제목', '요약', '件名', '題名', 'タイトル') THEN 'title'
    WHEN plain IN ('description', 'body', '설명', '내용', '説明', '内容') THEN 'description'
    WHEN plain IN ('product', '제품', '製品') THEN 'product'
    WHEN plain IN ('status', 'state', '상태', 'ステータス', '状態') THEN 'status'
    WHEN plain IN ('priority', '우선순위', '優先度') THEN 'priority'
    WHEN plain IN ('severity', '심각도', '重要度', '重大度') THEN 'severity'
    WHEN plain IN ('type', 'issuetype', 'tracker', '유형', 'タイプ', '種別') THEN 'issue_type'
    WHEN plain IN ('reporter', 'author', '보고자', '등록자', '報告者') THEN 'reporter'
    WHEN plain IN ('owner', 'assignee', 'assignedto', '담당자', '担当者') THEN 'owner'
    WHEN plain IN ('manager', '관리자', '管理者') THEN 'manager'
    WHEN plain IN ('projectcode') THEN 'project_code'
    WHEN plain IN ('projectname', 'project', '프로젝트', 'プロジェクト') THEN 'project_name'
    WHEN plain IN ('site', '사이트', 'サイト') THEN 'site'
    WHEN plain IN ('customer', '고객', '고객사', '顧客') THEN 'customer'
    WHEN plain IN ('module', 'component', 'components', '모듈', 'モジュール') THEN 'module'
    WHEN plain IN ('foundversion', 'version', 'versions', 'affectsversion') THEN 'found_version'
    WHEN plain IN ('fixedversion', 'fixversion', 'fixversions') THEN 'fixed_version'
    WHEN plain IN ('targetversion', 'milestone', 'targetmilestone') THEN 'target_version'
END
FROM (SELECT translate(lower(field_name), ' _-', '') AS plain) AS one
$$;

GRANT EXECUTE ON FUNCTION ims.history_column(text) TO ims_app, ims_user, ims_readonly, ims_admin;
