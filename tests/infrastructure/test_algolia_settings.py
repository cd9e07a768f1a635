"""Settings of a search on Algolia."""

import pytest

from infrastructure.settings import InvalidSettings, Settings
from infrastructure.settings.reading import parse


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"HEADWATER_SEARCH": "algolia"}, "algolia needs HEADWATER_ALGOLIA_APPLICATION_ID"),
        ({"HEADWATER_ALGOLIA_HOSTS": "https://h"}, "it is for HEADWATER_SEARCH=algolia"),
        ({"HEADWATER_ALGOLIA_HOSTS": "http://h.example"}, "others could read the key"),
        ({"HEADWATER_ALGOLIA_HOSTS": "https://h:99999"}, "port out of range"),
        ({"HEADWATER_ALGOLIA_API_KEY": "short"}, "16 to 256 ASCII characters"),
    ],
)
def test_search_is_set_whole(variables: dict[str, str], sentence: str) -> None:
    """A search engine without its address, and the other way round, is refused with the way out."""
    with pytest.raises(InvalidSettings, match=sentence):
        parse(Settings, variables)
