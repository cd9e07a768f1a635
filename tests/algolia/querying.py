"""What a query finds, as Algolia's pages on parameters have it: words, numeric filters, ranking."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

from algoliasearch.search.models.search_params_object import SearchParamsObject

from tests.algolia.held import Index, Record, Refused

_KNOWN: Final = {one.alias for one in SearchParamsObject.model_fields.values()}
_LARGEST: Final = 512  # bytes of a parameter
_LIMIT: Final = 4_611_686_018_427_387  # of numbers in filters
_SORTED: Final = 50  # bytes of a text that Algolia sorts by
_FILTER: Final = re.compile(r"(\w+)(<=|>=|<|>|=)(-?\d+)")
_COMPARE: Final = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    ">": lambda one, other: one > other,
    "<=": lambda one, other: one <= other,
    ">=": lambda one, other: one >= other,
}


def found(index: Index, params: Mapping[str, Any]) -> Sequence[Record]:
    """All records that match, in order. Raises :class:`Refused`."""
    _require_known(params)
    words = _words(params.get("query", ""))
    if words and params.get("queryType") != "prefixAll":
        raise Refused(400, "only queries by prefixes are recorded")
    filters = params.get("numericFilters", [])
    matching = [
        one
        for one in index.records.values()
        if _has(index, one, words) and all(_passes(index, one, some) for some in filters)
    ]
    return ranked(index, matching)


def ranked(index: Index, records: Sequence[Record]) -> Sequence[Record]:
    """By the criteria of the index, the first one first."""
    ordered = list(records)
    for criterion in reversed(index.settings.get("ranking", [])):
        direction, attribute = re.fullmatch(r"(asc|desc)\((\w+)\)", criterion).groups()  # type: ignore[union-attr] # else the test fails
        ordered.sort(key=lambda one, by=attribute: _sortable(one.get(by)))  # type: ignore[misc] # bound now
        if direction == "desc":
            ordered.reverse()
    return sorted(ordered, key=lambda one: one.get("rank_1", 0) is None)


def shown(record: Record, attributes: Sequence[str] | None) -> Record:
    """The attributes that were asked for. The id is always there."""
    wanted = set(attributes or record)
    return {key: value for key, value in record.items() if key in wanted or key == "objectID"}


def _require_known(params: Mapping[str, Any]) -> None:
    if unknown := set(params) - _KNOWN - {"cursor"}:
        raise Refused(400, f"Unknown parameter: {', '.join(sorted(unknown))}")
    for name, value in params.items():
        text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
        if len(text.encode()) > _LARGEST:
            raise Refused(400, f"{name} is larger than {_LARGEST} bytes")
    if not 0 < params.get("hitsPerPage", 20) <= 1_000:
        raise Refused(400, "hitsPerPage: at most 1000")


def _has(index: Index, record: Record, words: Sequence[str]) -> bool:
    searched = [
        re.sub(r"^unordered\((.*)\)$", r"\1", one) for one in index.settings["searchableAttributes"]
    ]
    there = [
        word for name in searched for text in _texts(record.get(name)) for word in _words(text)
    ]
    return all(any(one.startswith(word) for one in there) for word in words)


def _texts(value: Any) -> Sequence[str]:
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []


def _words(text: str) -> Sequence[str]:
    """Without case and accents."""
    apart = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in apart if not unicodedata.combining(one)).split()


def _passes(index: Index, record: Record, filters: str | Sequence[str]) -> bool:
    """Whether one of the filters lets it pass."""
    some = [filters] if isinstance(filters, str) else filters
    passed = [_compared(index, record, one) for one in some]  # each is checked
    return any(passed)


def _compared(index: Index, record: Record, condition: str) -> bool:
    if (parts := _FILTER.fullmatch(condition)) is None:
        raise Refused(400, f"numericFilters: {condition} cannot be read")
    attribute, operator, limit = parts.groups()
    declared = index.settings.get("numericAttributesForFiltering", [])
    only_equal = f"equalOnly({attribute})" in declared and operator == "="
    if attribute not in declared and not only_equal:
        raise Refused(400, f"numericFilters: {attribute} is not declared for {operator}")
    if abs(int(limit)) > _LIMIT:
        raise Refused(400, f"numericFilters: {limit} is out of range")
    value = record.get(attribute)
    return value is not None and bool(_COMPARE[operator](value, int(limit)))


def _sortable(value: Any) -> tuple[bool, Any]:
    """Records without the attribute come last."""
    if isinstance(value, str):
        return False, value.encode()[:_SORTED]
    return value is None, 0 if value is None else value
