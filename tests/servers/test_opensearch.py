"""The OpenSearch of the tests does what it is there for."""

from uuid import uuid4

from opensearchpy import OpenSearch

from infrastructure.settings import Settings
from infrastructure.settings.reading import parse
from tests.servers import OPENSEARCH
from tests.waiting import PATIENCE


def test_opensearch_finds_documents(opensearch: str) -> None:
    """A document is found by a word in another case; an index is not made by writing to it."""
    with OpenSearch(opensearch, timeout=PATIENCE) as client:
        index = f"test-{uuid4().hex}"
        assert client.index(index=index, body={"name": "lantern"}, ignore=404)["status"] == 404
        client.indices.create(index=index)
        client.index(index=index, body={"name": "Heart of GLASS"}, refresh=True)

        found = client.search(index=index, body={"query": {"match": {"name": "glass"}}})

    assert found["hits"]["total"]["value"] == 1


def test_the_printed_settings_lead_a_service_there(opensearch: str) -> None:
    """What ``make servers`` prints to export is accepted, and has the address."""
    printed = OPENSEARCH.settings(opensearch)
    parse(Settings, {name: value for name, value in printed.items() if "HEADWATER" in name})
    assert opensearch in printed.values()
