"""The digests of a snapshot say the same in every release of Python that the service runs on."""

import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from application.snapshots import Snapshot, Snapshots, Traces, take
from domain.decider import Decider

PAGE = '''
"""A docstring."""

from __future__ import annotations

import os as system
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sum:
    """A docstring
    of two lines."""

    units: int = 0  # a comment
    names: tuple[str, ...] = ()


async def later(x, /, y=1, *args: int, z: int = 2, **rest):
    async with x as y, y:
        await y
    yield [a async for a in x if a]
    return


def evolve(sum, event):
    match event:
        case {"a": [1, *others], **rest} if others:
            pass
        case Sum(units=1 | 2 as n):
            return f"{n!r:>{n + 1}} and {{}} {'nested ' f'{n}'}" 'joined' "on"
        case None | -1.5 | 1e16 | 2 + 2j | b"x":
            raise ValueError from None
    u"kind", f"{n=}", f"{n:%Y-%m}", rf"\\d{n}"
    try:
        (n := 5)
    except* (ValueError, TypeError) as error:
        del error
    else:
        assert n, "no"
    finally:
        global g
    lambda *a, b=1: (yield)
    return {**sum, "x": 1}, {*sum}, sum[1:2, ...], [*sum], a if b else c, not a < b <= c, a @ b, ~a


decider = (Sum(), evolve)
'''


def test_a_page_has_the_same_digest_in_every_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is said in it, in whichever syntax. The literal is that of 3.11, 3.12 and 3.13."""
    (tmp_path / "page_in_every_python.py").write_text(PAGE)
    monkeypatch.syspath_prepend(tmp_path)
    import page_in_every_python as page  # type: ignore[import-not-found]  # it is written here

    decider: Decider[Any, Any, Any] = Decider(page.Sum(), page.evolve, lambda *_: [])
    taken = take(Snapshot(3, UUID(int=1), page.Sum(), Traces()), Snapshots(every=1), decider)
    del sys.modules["page_in_every_python"]

    assert taken.evolve_digest.startswith("f061bcd526fe")
