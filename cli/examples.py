"""Examples that the help shows, by command; the tests read each of them as the program would."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("demo", 'search "ORA-01555 오류"', "help crawl"),
    "crawl": (
        "crawl '+Tibero ORA-01555' --tracker ims",
        "crawl '*' --tracker ims --since 7d --attachments",
        "crawl timeout --kind trac --url http://host/trac",
    ),
    "resume": ("resume 3f2a9c1e", "resume --all"),
    "search": (
        'search "listener refuses connections"',
        "search +timeout -network --status open",
        "search 접속 오류 --updated 2026-01-01..2026-03-31",
        "search timeout --csv > hits.csv",
    ),
    "show": ("show 348115", "show 348115 --timeline"),
    "attachments": ("attachments list 348115", "attachments open 348115 server.log"),
    "attachments list": ("attachments list 348115",),
    "attachments text": (
        "attachments text 348115 server.log",
        "attachments text 348115 'dump.zip!/server.log:1204'",
    ),
    "attachments save": (
        "attachments save 348115 server.log -o Downloads",
        "attachments save 348115 --all -o case",
    ),
    "attachments open": ("attachments open 348115 server.log",),
    "similar": (
        "similar 348115",
        "similar 348115 --open",
        "similar --text trace.txt",
        "similar --text -",
    ),
    "query": ('query "show connection or timeout"', 'query "에러와 크래시 찾아줘"'),
    "mcp": ("mcp", "mcp --http", "mcp --http --port 0 --everybody"),
    "history": ("history --limit 5",),
    "sessions": ("sessions", "sessions --json"),
    "receipt": ("receipt 3f2a9c1e",),
    "reparse": ("reparse --all", "reparse 3f2a9c1e"),
    "favorites": ('favorites add mine "+ORA-01555 timeout"', "favorites run mine"),
    "favorites add": (
        "favorites add mine +ORA-01555 timeout --status open",
        "favorites add mine +ORA-01555 --webhook https://chat.example.com/hook --digest '0 9 * * 1-5'",
    ),
    "favorites run": ("favorites run mine --updated 7d",),
    "quarantine": ("quarantine list", "quarantine retry 348115"),
    "db prune": ("db prune --dry-run", "db prune --older-than 90d --removed"),
    "db backup": ("db backup ims.backup",),
    "db restore": ("db restore ims.backup",),
    "doctor": ("doctor", "doctor --online"),
    "trackers": (
        "trackers add ims --kind ims --url https://ims.example.com --username kim",
        "trackers test ims",
    ),
    "trackers add": (
        "trackers add ims --kind ims --url https://ims.example.com --username kim",
        "trackers add dev --url http://host/trac/query --rate 2",
        "trackers add ims --kind ims --url https://ims.example.com --option relations=yes",
    ),
    "trackers edit": (
        "trackers edit ims --option patches=yes --option path=/",
        "trackers edit ims --url https://new.example.com --rate 2",
        "trackers edit ims --option patches=",
    ),
    "trackers options": ("trackers options ims",),
    "trackers states": (
        "trackers states ims",
        "trackers states ims --set 조치완료=done --set 'In QA=in_progress'",
    ),
    "schedule": (
        "schedule add nightly '*' --cron '0 2 * * *'",
        "schedule show nightly",
        "schedule run nightly",
    ),
    "schedule add": (
        "schedule add nightly '*' --cron '0 2 * * *' --timezone Asia/Seoul",
        "schedule add hourly +timeout --cron '0 * * * *' --tracker ims",
    ),
    "worker": ("worker", "worker --once"),
    "runs": ("runs nightly", "runs --statistics"),
    "news": ("news nightly",),
    "serve": ("serve --open", "serve --login --public-name issues.example.com"),
    "stats": ("stats --days 7",),
    "report": ("report -o report.html", "report --since 2026-01-01 --lang ko -o report.html"),
    "export": (
        "export issues -o issues.csv",
        "export comments --format jsonl -o comments.jsonl",
        "export --warc pages.warc.gz",
    ),
    "users": ("users add sato", "users list"),
    "users add": ("users add sato", "users add bi --role readonly --login --password-stdin"),
    "db": ("db status", "db init"),
    "audit": ("audit --table users",),
}
