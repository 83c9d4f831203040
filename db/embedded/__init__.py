"""A PostgreSQL server that comes along with the program and lives as long as somebody uses it."""

from __future__ import annotations

from db.embedded.address import ServerAddress
from db.embedded.server import EmbeddedServer

__all__ = ["EmbeddedServer", "ServerAddress"]
