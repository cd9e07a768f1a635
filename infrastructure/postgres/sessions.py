"""The settings of sessions with PostgreSQL, by purpose."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

_RELIED_ON: Final[LiteralString] = """
SET DateStyle = 'ISO, YMD';  -- whatever the database or the role has: psycopg reads no other
SET IntervalStyle = 'postgres';
SET TimeZone = 'UTC';  -- moments are read twice as fast so
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET default_transaction_isolation = 'read committed';  -- each statement sees what stands by then
"""
VIEWS: Final[LiteralString] = _RELIED_ON + "SET synchronous_commit = off"
EVENTS: Final[LiteralString] = (
    _RELIED_ON
    + """
SET synchronous_commit = on;
SET lock_timeout = '500ms';  -- an open transaction must not stop all appends
SET statement_timeout = '10s';
SET idle_in_transaction_session_timeout = '10s';
SET enable_seqscan = off;  -- an empty table has no statistics, and plans outlive that
SET plan_cache_mode = force_generic_plan;
SET jit = off
"""
)
GROUPS: Final[LiteralString] = (
    _RELIED_ON
    + """
SET synchronous_commit = off;  -- what a crash of the server takes back is handed out again
SET statement_timeout = '10s';
SET idle_in_transaction_session_timeout = '10s';  -- one that froze must not stop its group
SET tcp_keepalives_idle = 10;  -- a machine that lost its power says no goodbye: the server asks
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
SET tcp_user_timeout = '20s';
SET enable_seqscan = off;  -- as above
SET enable_sort = off;  -- to take the next few without sorting all that follow
SET plan_cache_mode = force_generic_plan;
SET jit = off
"""
)

GONE: Final[Mapping[str, Any]] = {  # TCP alone notices a dead client only after two hours
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
