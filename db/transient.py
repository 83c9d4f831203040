"""Which errors of the database pass when the whole transaction is done again."""

from __future__ import annotations

import psycopg

# 40001 serialization failure, 40P01 deadlock, 55P03 lock timeout, 55006 object in use,
# 57P01 administrator's shutdown, 57P02 crash shutdown, 57P03 cannot connect now,
# 25P03 idle-in-transaction timeout, 53300 too many connections.
TRANSIENT_STATES = frozenset(
    {"40001", "40P01", "55P03", "55006", "57P01", "57P02", "57P03", "25P03", "53300"}
)


def is_transient(error: BaseException) -> bool:
    """Tell whether the whole transaction, done again from its start, may go through.

    True for the SQLSTATEs above, for every state of class 08 (the connection is lost) and for an
    operational error without a state, which is how the driver tells of a broken connection. Such an error
    ended the transaction; what it had committed, if anything, is harmless to do again, since the loader's
    writes are keyed.
    """
    if not isinstance(error, psycopg.Error):
        return False
    state = error.sqlstate
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state in TRANSIENT_STATES or state.startswith("08")


def is_of_the_server(error: BaseException) -> bool:
    """Tell whether a server is gone or refuses a login, which is no fault of a statement."""
    # 25006: the server takes no changes
    return isinstance(error, psycopg.OperationalError | psycopg.errors.ReadOnlySqlTransaction) and (
        error.sqlstate is None or error.sqlstate.startswith(("08", "25006", "28", "3D", "53", "57P"))
    )
