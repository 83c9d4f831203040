-- The state that a tracker's status word stands for, as crawler/states.py has it: 'unknown' where nobody knows the word.
-- A test holds the two against each other.
CREATE OR REPLACE FUNCTION ims.state_of(word text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
    WHEN written && ARRAY[
        'open', 'opened', 'new', 'unconfirmed', 'confirmed', 'to do', 'todo', 'reopened', 're-opened', 'reopen',
        'backlog', 'triage', 'needs triage', 'needinfo', 'registered', 'received', 'submitted', 'requested',
        'unassigned', 'created', 'pending', 'postponed', 'deferred', 'on hold', 'hold', 'waiting', 'suspended',
        'selected for development', 'open issue', 'needs info', 'needs_info', 'infoneeded_new', 'planned', '신규',
        '등록', '접수', '열림', '재오픈', '다시 열림', '대기', '보류', '연기', '할 일', '미처리', '新規', '未着手', '未対応', 'オープン', '受付',
        '再オープン', '保留', '待ち', '延期', '起票', '登録'
    ] THEN 'open'
    WHEN written && ARRAY[
        'in progress', 'in_progress', 'inprogress', 'assigned', 'accepted', 'started', 'working',
        'work in progress', 'wip', 'doing', 'under review', 'in review', 'review', 'reviewing', 'in development',
        'development', 'testing', 'in testing', 'test', 'feedback', 'analysis', 'analyzing', 'investigating',
        'active', 'acknowledged', 'patch available', 'ready for review', 'infoneeded', 'implementing',
        'processing', '진행', '진행중', '진행 중', '처리중', '처리 중', '할당', '할당됨', '배정', '검토', '검토중', '검토 중', '분석중', '분석 중',
        '테스트', '진행 중인 작업', '進行中', '対応中', '処理中', '作業中', '担当者決定', '割り当て済み', '割当済', '確認中', 'レビュー中', '調査中', 'フィードバック',
        'テスト中'
    ] THEN 'in_progress'
    WHEN written && ARRAY[
        'closed', 'close', 'closed_p', 'resolved', 'resolve', 'done', 'fixed', 'verified', 'rejected', 'reject',
        'completed', 'complete', 'finished', 'released', 'cancelled', 'canceled', 'wontfix', 'won''t fix',
        'wont fix', 'invalid', 'duplicate', 'worksforme', 'works for me', 'merged', 'shipped', 'obsolete',
        'declined', 'solved', 'delivered', 'not a bug', 'not_planned', 'abandoned', '종료', '완료', '해결', '해결됨', '닫힘',
        '반려', '거절', '취소', '처리완료', '처리 완료', '검증', '검증완료', '수정완료', '完了', '終了', '解決', '解決済み', '解決済', '処理済み', 'クローズ',
        '却下', '中止', '対応済み', '対応済', '検証済み', '修正済み', '取消'
    ] THEN 'done'
    ELSE 'unknown'
END
FROM (SELECT lower(btrim(regexp_replace(word, '[\s\u00a0]+', ' ', 'g'))) AS plain) AS one
CROSS JOIN LATERAL (SELECT ARRAY[plain, translate(plain, '_-', '  ')] AS written) AS two
$$;

GRANT EXECUTE ON FUNCTION ims.state_of(text) TO ims_app, ims_user, ims_readonly, ims_admin;
