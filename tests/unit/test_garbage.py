"""Whatever bytes a server sends: an answer or an error of ours, in good time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.client import Client
from crawler.errors import CrawlError
from tests.fixtures.rawserver import End, RawServer
from tests.fixtures.virtualtime import VirtualTime

NAMES = st.sampled_from(
    [b"Set-Cookie", b"Location", b"Content-Type", b"Content-Length", b"Content-Encoding"]
) | st.sampled_from(
    [b"Transfer-Encoding", b"Retry-After", b"Date", b"X"],
)
VALUES = (
    st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=40)
    | st.sampled_from(
        ["gzip", "chunked", "5", "9" * 5000, "text/html; charset=zlib", "a=b; Max-Age=1e9; Domain=.x"]
    )
    | st.sampled_from(
        ['a="', "=", "a=b; expires=" + "9" * 400, "a=\xe9\x85; path=\xff", "http://[", "//", "?"]
    )
)
ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda status, headers, body: (
            b"HTTP/1.1 %d X\r\n" % status
            + b"".join(b"%b: %b\r\n" % (name, value.encode("latin-1")) for name, value in headers)
            + b"\r\n"
            + body
        ),
        st.sampled_from([100, 101, 199, 200, 204, 206, 302, 304, 404, 429, 500, 999]),
        st.lists(st.tuples(NAMES, VALUES), max_size=5),
        st.binary(max_size=100),
    ),
)


async def ask(answers: list[bytes]) -> None:
    time = VirtualTime()
    scripts: list[list[bytes | float | End]] = [[answer, End.CLOSE] for answer in answers]
    async with (
        RawServer(*scripts).running() as server,
        Client(server.url, tries=2, deadline=5, sleep=time.sleep, clock=time.clock) as client,
    ):
        for _ in answers:
            with suppress(CrawlError):
                assert isinstance((await client.get("/")).text, str)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ANSWERS, min_size=1, max_size=3))
def test_garbage_gives_an_answer_or_an_error_of_ours(answers: list[bytes]) -> None:
    asyncio.run(asyncio.wait_for(ask(answers), 20))
