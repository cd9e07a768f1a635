"""As much of PromQL as our alerts speak: selectors, rates, sums, the largest, ratios, limits."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Vector = Mapping[Labels, float]

_LIMIT = re.compile(r"(?P<of>.+) > (?P<limit>[0-9.]+)")
_SUM = re.compile(r"sum by \((?P<by>[\w, ]+)\) \(rate\((?P<of>.+)\[(?P<minutes>\d+)m\]\)\)")
_MAX = re.compile(r"max(?: by \((?P<by>[\w, ]+)\))? \((?P<of>.+)\)")
_ABSENT = re.compile(r"absent\((?P<of>.+)\)")
_UNLESS = re.compile(r"\((?P<of>.+) unless (?P<but>.+)\)")
_SELECTOR = re.compile(r"(?P<name>\w+)(?:\{(?P<matchers>.*)\})?")
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


@dataclass(frozen=True)
class Scrapes:
    """What the processes of a service showed at two moments, five minutes apart for rates."""

    before: str
    now: str
    others: Sequence[str] = ()
    """What other processes show now."""

    def finds(self, expression: str) -> Vector:
        """The series for which an alert's expression holds, as Prometheus would say."""
        found = _LIMIT.fullmatch(expression)
        assert found, f"not understood: {expression}"
        limit = float(found["limit"])
        return {labels: n for labels, n in self._vector(found["of"]).items() if n > limit}

    def _vector(self, expression: str) -> Vector:
        if found := _UNLESS.fullmatch(expression):
            return {} if self.finds(found["but"]) else self.finds(found["of"])
        if " / " in expression:
            above, below = map(self._vector, expression.split(" / "))
            return {at: n / below[at] for at, n in above.items() if below.get(at)}
        if found := _SUM.fullmatch(expression):
            return _summed(self._rates(found["of"], int(found["minutes"])), found["by"].split(", "))
        if found := _MAX.fullmatch(expression):
            return _largest(self._instances(found["of"]), (found["by"] or "").split(", "))
        if found := _ABSENT.fullmatch(expression):
            return {} if any(self._instances(found["of"])) else {frozenset(): 1.0}
        return {at: number for one in self._instances(expression) for at, number in one.items()}

    def _instances(self, selector: str) -> Sequence[Vector]:
        """What each process shows now; Prometheus gives each a label of its own."""
        texts = (self.now, *self.others)
        return [
            {at | {("instance", str(number))}: n for at, n in _selected(text, selector).items()}
            for number, text in enumerate(texts)
        ]

    def _rates(self, selector: str, minutes: int) -> Vector:
        """Of what there was before: Prometheus knows no rate of a series that has just begun."""
        before, now = _selected(self.before, selector), _selected(self.now, selector)
        return {at: (n - before[at]) / (60 * minutes) for at, n in now.items() if at in before}


def _summed(vector: Vector, by: list[str]) -> Vector:
    sums: defaultdict[Labels, float] = defaultdict(float)
    for labels, number in vector.items():
        sums[frozenset((name, value) for name, value in labels if name in by)] += number
    return sums


def _largest(vectors: Sequence[Vector], by: list[str]) -> Vector:
    found: dict[Labels, float] = {}
    for labels, number in ((at, n) for one in vectors for at, n in one.items()):
        at = frozenset((name, value) for name, value in labels if name in by)
        found[at] = max(number, found.get(at, number))
    return found


def _selected(shown: str, selector: str) -> Vector:
    found = _SELECTOR.fullmatch(selector)
    assert found, f"not understood: {selector}"
    matchers = _MATCHER.findall(found["matchers"] or "")
    return {
        frozenset(sample.labels.items()): sample.value
        for family in text_string_to_metric_families(shown)
        for sample in family.samples
        if sample.name == found["name"]
        and all(_matches(sample.labels.get(name, ""), how, what) for name, how, what in matchers)
    }


def _matches(value: str, how: str, what: str) -> bool:
    match how:
        case "=":
            return value == what
        case "!=":
            return value != what
        case "=~":
            return re.fullmatch(what, value) is not None
        case _:
            return re.fullmatch(what, value) is None
