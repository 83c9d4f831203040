"""The issues that the test's Trac is filled with: our own in three languages, hostile ones, and real ones.

Every issue is a plain dictionary, because another interpreter (Trac's own) reads them as JSON:
``{"ticket": {field: text}, "when": seconds, "events": [...]}``. An event has ``when``, ``author`` and one of
``{"fields", "comment", "reply"}``, ``{"edit": number, "comment"}`` or ``{"attach", "size", "description"}``.
Times are seconds since 1970, in UTC, and may have a fraction.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

REAL_ISSUES = Path(__file__).resolve().parents[4] / "shared" / "data" / "jira-issues.jsonl.gz"
COMPONENTS = ("server", "client", "client-tools", "문서")
START = 1_500_000_000
DUE = 1_600_000_000  # a time in a custom field

Issue = dict[str, Any]

_TEXTS = (
    (
        "Server does not start after an update",
        "The log ends with:\n{{{\nno such file\n}}}\nSecond paragraph.",
        "Same here.",
    ),
    (
        "Memory grows while importing",
        "Steps:\n * import 10 files\n * look at `top`\n\nIt never comes back.",
        "Fixed by [1]?",
    ),
    (
        "Crash when the connection is lost",
        "It '''crashes''' with a ''stack trace''.",
        "See #1 and comment:1.",
    ),
    (
        "Wrong total in the monthly report",
        "||=Month=||=Total=||\n||May||12||\n||June||x||",
        "The table is right now.",
    ),
    ("Login page is slow", "Takes 12 s.\n\n> quoted line\n> another one\n\nanswer", "Measured: 3 s."),
    ("Dates are a day off", "Since the change of the time zone.", "Only in winter."),
    ("Export misses the last line", "1. export\n 1. open\n 1. count", "Confirmed with 10,000 lines."),
    ("Typo in the manual", '"recieve" on page 3', "Thanks!"),
    ("Search finds too much", "Searching for a word finds parts of words.", "That is how LIKE works."),
    (
        "서버가 시작되지 않습니다",
        "업데이트 후 서버가 시작되지 않습니다.\n\n * 로그 첨부\n * 재현율 100%",
        "확인했습니다. 다음 버전에서 수정됩니다.",
    ),
    ("연결이 끊어지면 오류가 발생함", "연결이 끊어지면 '''크래시'''가 발생합니다.", "재현되지 않습니다."),
    ("한글 파일 이름이 깨져 보임", "파일 이름: `보고서.txt`", "첨부 파일을 확인해 주세요."),
    ("메모리 사용량이 계속 증가", "{{{\n메모리 = 증가\n}}}", "같은 증상입니다."),
    ("검색 결과가 정렬되지 않음", "날짜순으로 정렬되어야 합니다.", "수정했습니다."),
    ("로그인 화면이 느림", "12초 걸립니다.", "3초로 줄었습니다."),
    ("보고서의 합계가 틀림", "||월||합계||\n||5월||12||", "이제 맞습니다."),
    ("서버 설정 문서가 없음", "문서를 추가해 주세요.", "추가했습니다."),
    (
        "サーバーが起動しない",
        "更新後にサーバーが起動しません。\n\n * ログを添付\n * 再現率100%",
        "確認しました。",
    ),
    ("接続が切れるとエラーになる", "接続が切れると'''クラッシュ'''します。", "再現できません。"),
    ("日本語のファイル名が文字化けする", "ファイル名:`報告書.txt`", "添付を見てください。"),
    ("メモリ使用量が増え続ける", "{{{\nメモリ = 増加\n}}}", "同じ症状です。"),
    ("検索結果が並び替えられない", "日付順になるはずです。", "直しました。"),
    ("ログイン画面が遅い", "12秒かかります。", "3秒になりました。"),
    ("レポートの合計が違う", "||月||合計||\n||5月||12||", "正しくなりました。"),
    ("설정 설명서와 設定説明書 and manual differ", "세 언어 / 三言語 / three languages.", "OK / 확인 / 了解"),
)


def own_issues() -> Iterator[Issue]:
    """Yield 25 ordinary issues with a life of their own, each in one of three languages."""
    for n, (summary, description, comment) in enumerate(_TEXTS):
        when = START + n * 86_400
        events: list[dict[str, Any]] = [{"when": when + 3600, "author": "lee", "comment": comment}]
        if n % 2:
            events.append(
                {
                    "when": when + 7200,
                    "author": "sato",
                    "fields": {"owner": "sato", "status": "assigned"},
                    "comment": "",
                }
            )
        if n % 3 == 0:
            fields = {"status": "closed", "resolution": "fixed", "priority": "minor"}
            events.append(
                {"when": when + 90_000, "author": "admin", "fields": fields, "comment": "Done.\n\nBye."}
            )
        if n % 6 == 0:
            fields = {"status": "reopened", "resolution": ""}
            events.append({"when": when + 95_000, "author": "kim", "fields": fields, "comment": ""})
        if n % 5 == 0:
            attach = {
                "attach": f"log {n}.txt",
                "size": 10 * n + 1,
                "description": "the ''log''" if n % 2 else "",
            }
            events.append({"when": when + 4000, "author": "kim", **attach})
        ticket = {
            "summary": summary,
            "description": description,
            "reporter": "kim",
            "component": COMPONENTS[n % 4],
            "type": ("defect", "enhancement", "task")[n % 3],
            "priority": "major",
            "status": "new",
            "milestone": f"milestone{n % 4 + 1}",
            "version": ("1.0", "2.0")[n % 2],
            "keywords": "one, two",
            "severity": ("normal", "high")[n % 2],
            "cc": "lee",
        }
        yield {"ticket": ticket, "when": when, "events": events}


def hostile_issues() -> Iterator[Issue]:
    """Yield issues that break a careless parser."""
    when = START + 50 * 86_400
    base = {"reporter": "kim", "status": "new", "component": "server", "type": "defect", "priority": "major"}

    def issue(summary: str, description: str, *events: dict[str, Any], **fields: Any) -> Issue:
        ticket = {**base, "summary": summary, "description": description, **fields}
        return {"ticket": ticket, "when": when, "events": [{"author": "lee", **event} for event in events]}

    yield issue(
        "<script>alert('summary')</script> & \"quotes\" <b>bold</b>",
        '<div id="changelog"><div class="change">\n</div></body></html>\n<!-- <textarea> &amp; &lt;p&gt;',
        {
            "when": when + 1,
            "comment": '</div></div><div class="change" id="trac-change-99-1"><h3 class="change">',
        },
        {"when": when + 2, "comment": '<!-- open\n<textarea>\n<script>var x = "</scr";'},
        {"when": when + 3, "comment": "still here"},
        keywords="<i>key</i>",
    )
    yield issue(
        "Wiki markup in every place",
        "= Heading =\nfirst line\nsecond line[[BR]]after a break\n\n * one\n   * nested\n * two\n\n"
        '{{{#!html\n<div class="change">not a change</div><p>para</p>\n}}}\n'
        '{{{#!div class="comment searchable"\nin a div\n}}}\n{{{\n  indented\n    code\n\n  end\n}}}\n'
        "||=a=||=b=||\n||1||2||\n\n term:: definition\n----\n"
        "[http://example.com/ link] !NotALink `mono` ^up^ ~~gone~~\n",
        {"when": when + 10.123456, "comment": '{{{#!div class="change"\nlooks like a change\n}}}'},
        {"when": when + 11.654321, "comment": "== Title ==\n> cited\n\n{{{\ncode\n}}}\nend"},
    )
    yield issue(
        "A very long description",
        "\n\n".join(f"Paragraph {n}: " + "lorem ipsum 긴 글 " * 60 for n in range(200)),
    )
    yield issue(
        "Changes without a word",
        "Only fields change.",
        {"when": when + 20, "fields": {"priority": "minor"}, "comment": ""},
        {"when": when + 21, "fields": {"priority": "major"}, "comment": None},
        {"when": when + 22, "fields": {"priority": "minor"}, "comment": ""},
        {"when": when + 23, "fields": {"priority": "major"}, "comment": ""},
        {"when": when + 24, "fields": {"keywords": "alpha, beta", "cc": "kim, lee"}, "comment": ""},
        {"when": when + 25, "fields": {"keywords": "beta, gamma", "cc": "lee, sato"}, "comment": ""},
        {"when": when + 26, "fields": {"owner": "lee"}, "comment": ""},
        {"when": when + 27, "fields": {"owner": "sato"}, "comment": ""},
        {"when": when + 28, "fields": {"owner": ""}, "comment": ""},
        {"when": when + 29, "fields": {"description": "Only fields change, and this."}, "comment": ""},
        {
            "when": when + 30,
            "fields": {"summary": "Changes without a single word", "milestone": "milestone1"},
            "comment": "",
        },
        {
            "when": when + 31,
            "fields": {"milestone": "", "urgent": "1", "customer": "고객 ''A''"},
            "comment": "",
        },
        {"when": when + 32, "fields": {"keywords": "", "cc": ""}, "comment": ""},
    )
    yield issue(
        "An edited comment",
        "See below.",
        {"when": when + 40, "comment": "first wording"},
        {"when": when + 41, "comment": "answer to it", "reply": "1"},
        {"when": when + 42, "author": "admin", "edit": 1, "comment": "second wording"},
        {"when": when + 43, "author": "admin", "edit": 1, "comment": "third wording 수정됨"},
        {"when": when + 44, "comment": "the same words"},
        {"when": when + 45, "comment": "the same words"},
    )
    yield issue(
        "Attachments with odd names",
        "Files.",
        {"when": when + 50, "attach": "보고서 報告書.txt", "size": 5, "description": "한글 이름"},
        {"when": when + 51, "attach": 'a&b "c" <d>.txt', "size": 0, "description": "<script>x</script>"},
        {"when": when + 52, "attach": "same.bin", "size": 2_000_000, "description": ""},
        {"when": when + 53, "attach": "same.bin", "size": 1500, "description": "a second one of that name"},
        {"when": when + 54, "attach": "100%25 #?;.log", "size": 7, "description": "two\nlines"},
    )
    yield issue("No description, no owner, no nothing", "", component="", priority="", type="")
    yield issue(
        "Custom fields",
        "They are in the page's table.",
        {"when": when + 55, "fields": {"due": 4_000_000_000, "urgent": "0"}, "comment": ""},
        {"when": when + 56, "fields": {"due": DUE, "notes": "other notes"}, "comment": ""},
        due=DUE - 1000,
        customer="ACME <Corp> & Söhne",
        urgent="1",
        colour="green",
        notes="first line\nsecond //wiki// line",
        site="서울",
    )
    yield issue(
        "\u202eright to left\u202c and zero\u200bwidth 😀 \t tab",
        "Nul-free, but odd: \x7f \u2028 \xa0 end\n\n\n\nfar below",
    )
    yield issue(
        "Hidden from everybody but admin",
        "A secret ticket.",
        {"when": when + 60, "comment": "secret"},
        keywords="private",
    )
    yield everything_that_a_session_words(when + 70)


def everything_that_a_session_words(when: int) -> Issue:
    """An issue whose page looks different for each language, zone and right of a session."""
    fake = 'var old_values={};\nvar changes=[{"fields":{"owner":{"old":"faked","new":"faked"}}}];'
    ticket = {
        "summary": "var changes=[{}];</title></head><script>",
        "description": f"{{{{{{#!html\n<script>\n{fake}\n</script>\n}}}}}}\nask old@secret.example",
        "reporter": "anonymous",
        "owner": "anonymous",
        "status": "new",
        "keywords": "k1 k2",
        "cc": 'a, "Hong; Gil" <hong@secret.example>',
        "tags": "x y",
        "urgent": "1",
        "due": DUE,
    }
    events: list[dict[str, Any]] = [
        {"fields": {"keywords": "k2, added removed", "cc": 'b, "d e" <hong@secret.example>'}},
        {"fields": {"keywords": "", "tags": "x y removed", "urgent": "0", "due": 4_000_000_000}},
        {
            "fields": {
                "owner": "kim@secret.example",
                "description": "new",
                "reporter": "Hong <h@secret.example>",
            }
        },
        {"fields": {"owner": "", "tags": "y"}, "author": "lee@secret.example"},
        {"fields": {}, "comment": "write to old@secret.example", "author": "anonymous"},
        {"edit": 5, "comment": "write to new@secret.example", "author": "lee@secret.example"},
        {"attach": "for anybody.txt", "size": 5, "description": "", "author": "anonymous"},
    ]
    told = [{"author": "kim", "comment": "", "when": when + n, **event} for n, event in enumerate(events, 1)]
    return {"ticket": ticket, "when": when, "events": told}


def real_issues(limit: int = 60) -> Iterator[Issue]:
    """Yield real issues, the Japanese and Korean ones first; none where the data is missing."""
    if not REAL_ISSUES.exists():
        return
    foreign, rest = [], []
    with gzip.open(REAL_ISSUES, "rt", encoding="utf-8") as lines:
        for line in lines:
            target = foreign if re.search("[ぁ-んァ-ン가-힣]", line) else rest
            target.append(line)
    wanted = [*foreign, *sorted(rest, key=len)[len(rest) // 2 :: 12]][:limit]
    for line in wanted:
        yield _from_jira(json.loads(line))


def _seconds(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def _name(field: Any) -> str:
    return (field or {}).get("name") or ""


def _from_jira(issue: dict[str, Any]) -> Issue:
    fields = issue["fields"]
    key = issue["key"]
    number = int(key.rsplit("-", 1)[1])
    events: list[dict[str, Any]] = [
        {
            "when": _seconds(c["created"]),
            "author": _name(c.get("author")) or "anonymous",
            "comment": c.get("body") or "",
        }
        for c in (fields.get("comment") or {}).get("comments", [])
    ]
    events += [
        {
            "when": _seconds(a["created"]),
            "author": _name(a.get("author")) or "anonymous",
            "attach": a["filename"],
            "size": min(a["size"], 4096),
            "description": a.get("mimeType") or "",
        }
        for a in fields.get("attachment") or []
    ]
    created = _seconds(fields["created"])
    if fields.get("assignee"):
        change = {"owner": _name(fields["assignee"]), "status": "assigned"}
        events.append({"when": created + 61.5, "author": "admin", "fields": change, "comment": ""})
    if fields.get("resolutiondate"):
        change = {"status": "closed", "resolution": "fixed", "priority": "minor"}
        events.append(
            {
                "when": _seconds(fields["resolutiondate"]) + 1.25,
                "author": "admin",
                "fields": change,
                "comment": "Closed.",
            }
        )
    ticket = {
        "summary": f"{key} {fields['summary']}",
        "description": fields.get("description") or "",
        "reporter": _name(fields.get("reporter")) or "anonymous",
        "component": COMPONENTS[number % 4],
        "type": "defect" if _name(fields.get("issuetype")) == "Bug" else "enhancement",
        "priority": "critical" if _name(fields.get("priority")) in {"High", "Critical"} else "major",
        "status": "new",
        "keywords": " ".join(fields.get("labels") or []),
    }
    return {"ticket": ticket, "when": created, "events": events}
