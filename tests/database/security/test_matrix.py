"""Every table of the catalogue, everybody who may look at it, everything that may be tried."""

from __future__ import annotations

import pytest

from db.models import Base
from tests.database.security import row_access
from tests.fixtures.database import on_every_server
from tests.fixtures.rls_identities import IDENTITIES, World

pytestmark = [on_every_server, pytest.mark.xdist_group("matrix")]


@pytest.mark.parametrize("name", IDENTITIES)
def test_an_identity_reads_and_writes_what_is_its_own_in_every_table(world: World, name: str) -> None:
    assert {table.name for table in Base.metadata.tables.values()} <= set(world.tables)
    for table in world.tables:
        row_access.check(world, world.identities[name], table)
