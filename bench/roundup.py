"""A real Roundup behind a stand-in's door, which counts what is asked and lets it wait."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.fixtures.api_server import ApiServer, Asked, Reply

_OF_A_CONNECTION = frozenset({"connection", "content-length", "date", "host", "server", "transfer-encoding"})


class RoundupBehindADoor(ApiServer):
    """A Roundup with so many issues, booted as for its tests when this serves."""

    def __init__(self, issues: int, text: str) -> None:
        super().__init__()
        self._filling = ("fill_many.py", issues, text)
        self._host = ""
        self.before.append(self._passed_on)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Boot it, and serve in front of it."""
        from tests.trackers.roundup.fix_server import booted

        with TemporaryDirectory() as folder, booted(Path(folder), *self._filling) as roundup:
            self._host = urlsplit(roundup.url).netloc
            with super().serving() as url:
                yield url

    def _passed_on(self, asked: Asked) -> Reply:
        connection = HTTPConnection(self._host, timeout=60)
        try:
            connection.request(asked.method, asked.raw_path, asked.body, _kept(asked.headers.items()))
            answer = connection.getresponse()
            return Reply(answer.read(), answer.status, _kept(answer.getheaders()))
        finally:
            connection.close()


def _kept(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name.lower() not in _OF_A_CONNECTION}
