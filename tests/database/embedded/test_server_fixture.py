"""The servers that every database test stands on."""

from __future__ import annotations

from tests.fixtures.database import Server, on_every_server


@on_every_server
def test_a_server_answers_and_is_not_older_than_fifteen(server: Server) -> None:
    with server.connect() as connection:
        assert connection.info.server_version >= 150000
