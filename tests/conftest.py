"""Fixtures, one module per resource."""

pytest_plugins: list[str] = [
    "tests.fix_database",
    "tests.fix_schema",
    "tests.fix_world",
    "tests.fix_embedded",
    "tests.fix_standin",
    "tests.fix_certificate",
    "tests.fix_rawserver",
    "tests.fix_virtualtime",
    "tests.fix_trac",
    "tests.fix_program",
    "tests.fix_crawl",
    "tests.fix_tenant",
    "tests.fix_shell",
    "tests.fix_failpoints",
    "tests.fix_workers",
    "tests.fix_analytics",
    "tests.fix_browser",
    # one "tests.fix_<resource>" a line
]
