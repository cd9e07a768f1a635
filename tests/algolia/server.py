"""Algolia's Search API on the loopback, as far as the adapter uses it.

Written from https://www.algolia.com/doc/rest-api/search/ (batch, browse, delete-index, get-objects,
get-settings, get-task, list-indices, operation-index, search-single-index, set-settings),
https://www.algolia.com/doc/guides/scaling/algolia-service-limits, and the models of the generated
client. What is not written there is refused, so a test fails where the adapter asks for more.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiohttp import web

from tests.algolia.held import Held, Refused
from tests.algolia.querying import found, ranked, shown

NAME: Final = "RECORDED00"
KEY: Final = "0123456789abcdef-recorded"
_NOW: Final = "2026-01-01T12:00:00.000Z"
_WAIT: Final = {"Retry-After": "3600"}  # s
_MOST_BYTES: Final = 10_000_000
_HOSTS: Final = 2

Answer = Mapping[str, Any]


@dataclass
class Fault:
    """What befalls one request: the first whose path ends so, at that host.

    ``before`` is called when the request comes. Then it is carried out, unless there is a
    ``status`` to answer, or the connection ``drops`` (``late``: when it has been carried out).
    """

    path: str = ""
    host: int | None = None
    before: Callable[[], None] = lambda: None
    status: int | None = None
    message: str = "a fault of the test"
    drops: bool = False
    late: bool = False


@dataclass
class Recorded:
    """An application, on two hosts."""

    held: Held = field(default_factory=Held)
    faults: list[Fault] = field(default_factory=list)
    record_limit: int = 100_000
    key: str = KEY
    addresses: Sequence[str] = ()
    asked: list[str] = field(default_factory=list)
    """Method and path of every request."""
    before: Callable[[web.Request], None] = lambda _: None
    """Called for every request."""

    @classmethod
    @asynccontextmanager
    async def started(cls) -> AsyncIterator[Self]:
        server = cls()
        app = web.Application(client_max_size=_MOST_BYTES)
        app.router.add_route("*", "/{path:.*}", server._answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        for _ in range(_HOSTS):
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.addresses = [f"http://127.0.0.1:{port}" for _, port in runner.addresses]
        try:
            yield server
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        self.before(request)
        fault = self._fault(request) or Fault()
        fault.before()
        if fault.status:
            answer = {"message": fault.message, "status": fault.status}
            return web.json_response(answer, status=fault.status, headers=_WAIT)
        if not fault.drops or fault.late:
            status, body = await self._carried_out(request)
        if not fault.drops:
            return web.json_response(body, status=status)
        assert request.transport
        request.transport.close()
        return web.Response()

    def _fault(self, request: web.Request) -> Fault | None:
        asked = [address.endswith(f":{request.url.port}") for address in self.addresses].index(True)
        for fault in self.faults:
            if request.path.endswith(fault.path) and fault.host in (None, asked):
                self.faults.remove(fault)
                return fault
        return None

    async def _carried_out(self, request: web.Request) -> tuple[int, Any]:
        sent = request.headers
        try:
            if (sent["x-algolia-application-id"], sent["x-algolia-api-key"]) != (NAME, self.key):
                raise Refused(403, "Invalid Application-ID or API key")
            body = json.loads(await request.text() or "{}")
            return 200, self._called(request, body)
        except Refused as refused:
            return refused.status, {"message": refused.message, "status": refused.status}

    def _called(self, request: web.Request, body: Mapping[str, Any]) -> Answer:
        match [request.method, *request.path.strip("/").split("/")]:
            case ["GET", "1", "indexes"]:
                return self._list(request.query)
            case ["POST", "1", "indexes", "*", "objects"]:
                return self._objects(body)
            case ["POST", "1", "indexes", index, "batch"]:
                return self._batch(index, body)
            case ["GET", "1", "indexes", index, "settings"]:
                return self._settings(index)
            case ["PUT", "1", "indexes", index, "settings"]:
                return _updated(self.held.set_settings(index, body))
            case ["POST", "1", "indexes", index, "operation"]:
                return self._operation(index, body)
            case ["DELETE", "1", "indexes", index]:
                return {"taskID": self.held.delete(index), "deletedAt": _NOW}
            case ["GET", "1", "indexes", _, "task", task]:
                published = self.held.is_published(int(task))
                return {"status": "published" if published else "notPublished"}
            case ["POST", "1", "indexes", index, "query"]:
                return self._query(index, body)
            case ["POST", "1", "indexes", index, "browse"]:
                return self._browse(index, body)
            case _:
                raise Refused(404, f"{request.method} {request.path} is not recorded")

    def _list(self, query: Mapping[str, str]) -> Answer:
        names = sorted(self.held.indexes)
        size = int(query.get("hitsPerPage", 100))
        page = names[int(query.get("page", 0)) * size :][:size]
        items = [{"name": name, "entries": len(self.held.indexes[name].records)} for name in page]
        return {"items": items, "nbPages": -(-len(names) // size)}

    def _objects(self, body: Mapping[str, Any]) -> Answer:
        wanted = _only(body, "requests")
        if len(wanted) > 1_000:
            raise Refused(400, "at most 1000 records at once")
        results = []
        for one in wanted:
            index = self.held.indexes.get(one["indexName"])
            record = index.records.get(one["objectID"]) if index else None
            results.append(shown(record, one.get("attributesToRetrieve")) if record else None)
        return {"results": results}

    def _batch(self, name: str, body: Mapping[str, Any]) -> Answer:
        if self.held.indexes.get(name) and self.held.indexes[name].primary:
            raise Refused(403, f"{name} is a replica: write to its primary index")
        updates = []
        for at, one in enumerate(_only(body, "requests")):
            if set(one) != {"action", "body"} or one["action"] != "partialUpdateObject":
                raise Refused(400, f"{sorted(one)} {one.get('action')} is not recorded")
            update, size = one["body"], len(json.dumps(one["body"]))
            if size > self.record_limit:
                raise Refused(
                    400,
                    f"Record at the position {at} objectID={update['objectID']} is too big "
                    f"size={size}/{self.record_limit} bytes",
                )
            updates.append(update)
        task = self.held.batch(name, updates)
        return {"taskID": task, "objectIDs": [one["objectID"] for one in updates]}

    def _settings(self, name: str) -> Answer:
        index = self.held.index(name)
        settings = {key: value for key, value in index.settings.items() if value is not None}
        return {**settings, "primary": index.primary} if index.primary else settings

    def _operation(self, source: str, body: Mapping[str, Any]) -> Answer:
        if set(body) != {"operation", "destination"}:
            raise Refused(400, f"{sorted(body)} is not recorded")
        changes: Mapping[str, Callable[[str, str], int]] = {
            "copy": self.held.copy,
            "move": self.held.move,
        }
        return _updated(changes[body["operation"]](source, body["destination"]))

    def _query(self, name: str, body: Mapping[str, Any]) -> Answer:
        index = self.held.index(name)
        hits = found(index, body)[: body.get("hitsPerPage", 20)]
        return {"hits": [shown(one, body.get("attributesToRetrieve")) for one in hits]}

    def _browse(self, name: str, body: Mapping[str, Any]) -> Answer:
        index = self.held.index(name)
        at, size = int(body.get("cursor", 0)), body["hitsPerPage"]
        records = ranked(index, list(index.records.values()))
        hits = [shown(one, body.get("attributesToRetrieve")) for one in records[at : at + size]]
        more = {"cursor": str(at + size)} if at + size < len(records) else {}
        return {"hits": hits, "nbHits": len(records), **more}


def _only(body: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    if set(body) != {name}:
        raise Refused(400, f"{sorted(body)}: only {name} is recorded")
    wanted: Sequence[Mapping[str, Any]] = body[name]
    return wanted


def _updated(task: int) -> Answer:
    return {"taskID": task, "updatedAt": _NOW}
