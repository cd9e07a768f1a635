"""A runner over Algolia that dies at any await and is started again: the views of a clean run."""

from typing import Final

from application.projections.searching import SearchReadModels
from infrastructure import algolia, memory
from tests.algolia import Recorded
from tests.algolia.opened import opened
from tests.application.test_projection_crashes import HISTORY, Books, leaves_no_trace, run, store_of
from tests.sample.read_models.payee_search import payee_search

STEP: Final = 5  # every fifth await: all of them take too long for each build, and pass


async def test_dying_at_any_await_leaves_no_trace() -> None:
    """Views, parts, checkpoint and count, after one death and a restart: those of a clean run."""
    projection, builds = payee_search, memory.Builds()
    async with Recorded.started() as server, opened(server) as application:
        engine = algolia.SearchEngine(application, "test", owner=7)
        models = SearchReadModels(engine, [projection], builds, builds.checkpoints)
        kept = Books(projection, builds, models)
        store = await store_of(HISTORY)
        await builds.register([projection])
        await kept.views.prepare()
        await run(store, kept)
        await leaves_no_trace(store, kept, STEP)
