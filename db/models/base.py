"""What all tables have in common: the schema, names of constraints, an owner.

Every NOT NULL column has a server default where a person typing SQL would not think of it, the owner
included: a hand-written INSERT becomes the acting user's row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.ext.mutable import MutableDict
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from db.models.bounds import add_bounds

SCHEMA = "ims"

Json: TypeAlias = dict[str, Any]

# PostgreSQL's own way of naming, so that hand-written DDL and models agree without a word
_NAMES = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(constraint_name)s_check",
    "ix": "%(table_name)s_%(column_0_N_name)s_idx",
}


class Base(DeclarativeBase):
    """The base of every model; its metadata lives in the schema ``ims``."""

    metadata = MetaData(schema=SCHEMA, naming_convention=_NAMES)
    type_annotation_map: ClassVar = {
        str: Text(),
        datetime: TIMESTAMP(timezone=True),
        float: Double(),
        bytes: LargeBinary(),
    }

    def __init_subclass__(cls, **options: Any) -> None:
        """Map the class, and bound its columns."""
        super().__init_subclass__(**options)
        add_bounds(cls.metadata.tables[f"{SCHEMA}.{cls.__tablename__}"])


_MINE = text("ims.current_user_id()")

# The owner of a row that hangs on nothing else.
OwnerId = Annotated[
    int,
    mapped_column(ForeignKey(f"{SCHEMA}.users.user_id", ondelete="RESTRICT"), server_default=_MINE),
]
# The owner of a row that hangs on a parent by (user_id, key): no other is possible, so that a
# second foreign key to users would cost every insert and add nothing.
ParentsOwnerId = Annotated[int, mapped_column(server_default=_MINE)]

SmallKey = Annotated[int, mapped_column(Integer, Identity(always=False), primary_key=True)]
Key = Annotated[int, mapped_column(BigInteger, Identity(always=False), primary_key=True)]
BigInt = Annotated[int, mapped_column(BigInteger)]
Count = Annotated[int, mapped_column(Integer, server_default=text("0"))]
BigCount = Annotated[int, mapped_column(BigInteger, server_default=text("0"))]
Amount = Annotated[float, mapped_column(Double, server_default=text("0"))]
Flag = Annotated[bool, mapped_column(server_default=false())]
Created = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True), server_default=func.now())]
SourceKey = Annotated[str, mapped_column(Text, server_default=text("(gen_random_uuid())::text"))]


def json_column(name: str | None = None) -> MappedColumn[Json]:
    """A JSONB object, empty by default, whose top-level changes in Python are noticed."""
    return mapped_column(MutableDict.as_mutable(JSONB()), name=name, server_default=text("'{}'::jsonb"))


def figures_column(default: str = "{}") -> MappedColumn[Any]:
    """A JSONB object or list, replaced as a whole."""
    return mapped_column(JSONB(none_as_null=True), nullable=False, server_default=text(f"'{default}'::jsonb"))


def optional_json_column() -> MappedColumn[Json | None]:
    """A JSONB object or NULL."""
    return mapped_column(JSONB(none_as_null=True))
