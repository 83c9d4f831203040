"""Sentences that generated issues are put together from; free of characters that HTML would escape."""

from __future__ import annotations

from typing import Final

PRODUCTS: Final = (
    "Tibero",
    "OpenFrame OSC",
    "OpenFrame Batch",
    "OpenFrame Base",
    "OpenFrame COBOL",
    "ProSort",
)
STATUSES: Final = ("Open", "Assigned", "In Progress", "Resolved", "Closed", "Closed_P")
PRIORITIES: Final = ("Very High", "High", "Normal", "Low")
CATEGORIES: Final = ("Technical Support", "Defect", "Change Request", "Enhancement Request", "Binary Request")
MODULES: Final = ("listener", "tbsvr", "tjesmgr", "oscmgr", "cobrun", "spool", "catalog")
CUSTOMERS: Final = (
    "Hanbit Bank",
    "새벽카드",
    "北斗電力",
    "Meridian Insurance",
    "누리손해보험",
    "Aozora Logistics",
)
PEOPLE: Final = (
    "Lee Dana ( dana.lee@example.com)",
    "박서준 ( seojun.park@example.com)",
    "高橋 直人 ( naoto.takahashi@example.com)",
    "Maria Lopez ( maria.lopez@example.com)",
    "정하윤 ( hayoon.jung@example.com)",
)

TITLES: Final = (
    "Batch step ends with abend S0C7",
    "Listener stops answering after a network failover",
    "ORA-01555 during the nightly report",
    "배치 작업이 대기 상태에서 멈춤",
    "온라인 거래 응답 지연 및 타임아웃 발생",
    "접속 오류 -5213 반복 발생",
    "夜間バッチが異常終了する",
    "接続タイムアウトが頻発する",
    "java.lang.OutOfMemoryError in the console",
    "Index rebuild takes longer after the patch",
    "메모리 사용량이 계속 증가함",
    "Sort work area is not released",
)

BODIES: Final = (
    "The job ends abnormally in its second step since the weekend. Restarting it helps for a day.\n\n"
    "1. Environment: two nodes, active and standby, 64 GB each.\n"
    "2. Frequency: three times last week, always between 02:00 and 03:00.\n"
    "3. Log:\n"
    "    2024-06-03 02:14:07 [E] SVC99 request failed, rc=8, reason=0x80070005\n"
    "    2024-06-03 02:14:07 [E] step STEP020 abended with S0C7\n"
    "    2024-06-03 02:14:08 [I] see /var/log/batch/step020.log for the dump\n\n"
    "Please tell us the cause and whether a patch is at hand before the end of the month.",
    "야간 배치 수행 중 특정 작업이 대기 상태로 남아 후속 작업이 시작되지 않습니다.\n\n"
    "- 발생 시각: 매일 새벽 2시에서 3시 사이\n- 재현 여부: 개발 환경에서는 재현되지 않음\n"
    "- 로그:\n    [TJES] JOB07712 status WAIT, lock timeout -5213\n    [TJES] runner 3 is not responding\n\n"
    "원인 분석과 회피 방법을 요청드립니다. 관련 로그는 첨부 파일을 참고하여 주십시오.",
    "本番環境の夜間バッチが異常終了し、後続の処理が開始されません。\n\n"
    "・発生日時: 六月三日 午前二時十四分\n・頻度: 週に二、三回\n・エラー: ORA-01555\n"
    "    /var/log/tibero/alert.log に次の行が残っています。\n"
    "    ERROR -5213 connection timeout, session 118\n\n"
    "原因の調査と、恒久対応の予定をお知らせください。",
    "Since the upgrade the console process grows by about 40 MB an hour until it dies.\n\n"
    "    java.lang.OutOfMemoryError: Java heap space\n"
    "        at com.example.console.Cache.put(Cache.java:118)\n"
    "        at com.example.console.Poller.run(Poller.java:57)\n\n"
    "A heap dump is attached. 고객사 운영 환경이므로 빠른 확인 부탁드립니다.",
)

COMMENTS: Final = (
    "We have received your request. Could you send the alert log of both nodes from one hour before the"
    " failure, and the values of the parameters that differ from the defaults?",
    "요청하신 로그를 첨부하였습니다. 장애 시점에 세션 수가 평소의 두 배로 증가한 것을 확인하였습니다.",
    "ログを確認しました。接続数の上限に達した後、タイムアウトしています。設定値をお知らせください。",
    "The dump shows an uninitialised packed decimal field in the copybook of the customer program. The"
    " runtime is right to end the step. Please initialise it, or set the option that treats spaces as zero.",
    "개발팀 확인 결과 동일 증상이 다음 패치에서 수정되었습니다. 패치 적용 후 결과를 알려 주시기 바랍니다.",
    "修正パッチを検証環境へ適用し、一週間再現しないことを確認しました。本番への適用は来週末の予定です。",
    "Applied on the test system on Friday, no failure over the weekend. We plan the production date with the"
    " customer and come back to you.",
    "회피 방법으로 타임아웃 값을 300초로 늘려 주십시오. 근본 원인은 계속 분석 중입니다.",
)
