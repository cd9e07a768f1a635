"""Settings of a search on OpenSearch."""

import pytest

from infrastructure.processes.role_process import environment_of
from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse


def test_a_process_hands_its_addresses_on() -> None:
    """Each server that is set has an environment variable, which is a text, for child processes."""
    uri = "https://reader:secret@127.0.0.1:9200"
    found = parse(Settings, {"HEADWATER_SEARCH": "opensearch", "HEADWATER_OPENSEARCH_URI": uri})

    environment = environment_of(found)

    assert environment["HEADWATER_OPENSEARCH_URI"] == uri
    assert {type(value) for value in environment.values()} == {str}


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HEADWATER_SEARCH": "opensearch"}, "opensearch needs HEADWATER_OPENSEARCH_URI"),
        ({"HEADWATER_OPENSEARCH_URI": "http://a:b@h"}, "it is for HEADWATER_SEARCH=opensearch"),
        ({"HEADWATER_OPENSEARCH_URI": "h:9200"}, "an address like https://user:password@host"),
        ({"HEADWATER_SEARCH_PREFIX": "A_"}, "string should match pattern"),
        ({"HEADWATER_OPENSEARCH_CA_FILE": "ca"}, "it is for HEADWATER_SEARCH=opensearch"),
    ],
)
def test_search_is_set_whole(variables: dict[str, str], sentence: str) -> None:
    """A search engine without its address, and the other way round, is refused with the way out."""
    with pytest.raises(InvalidSettings, match=sentence):
        parse(Settings, variables)
