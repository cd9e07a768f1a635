"""The interface as it describes itself: every route, and requests that break its rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from infrastructure.container import in_memory
from infrastructure.http.app import create_app
from infrastructure.program import Program

NASTY = (
    *(
        "\0",
        "1~\0",
        "a\0b",
        "\ud800",
        "\udfff~",
        "\x1b[2J",
        "\x9b31m",
        "a\r\nb",
        "\u202ea",
        "\ufeff",
    ),
    *("e\u0301", "%", "%00", "%2500", "../..", "'; --", '"', "\\", "*", "~", "1~", "-1~x", " ", ""),
    *(
        "-0",
        "-1",
        "0",
        "1e400",
        "1e5",
        "NaN",
        "Infinity",
        "0x10",
        "\uff11\uff12",
        "9223372036854775808",
    ),
    *(
        "9223372036854775808",
        "9" * 26,
        "1" * 5000,
        "x" * 10_000,
        "é" * 5000,
        "2011-13-45",
        "20101201",
    ),
    *("-0 GBP", "1e2 GBP", "NaN GBP", "1.0000000 GBP", "9" * 30 + " GBP", "1.005 JPY", "1 ABC"),
)
WORST = ("\0", "1~\0", "\ud800", "e\u0301", "9223372036854775808", "9" * 26 + "~1", "x" * 10_000)
"""What a database may choke on."""
NASTY_JSON: tuple[Any, ...] = (
    *NASTY,
    *(None, True, -0.0, 1.5, 1e308, float("nan"), float("inf"), 2**63, 2**64, 10**30, -(2**70)),
    *([], {}, [[]], [None] * 2000, {"\0": 1}, {"\ud800": 1}, {"__proto__": 1}),
)


@dataclass(frozen=True)
class Operation:
    """One method of one path, as OpenAPI has it."""

    method: str
    path: str
    said: dict[str, Any]
    schemas: dict[str, Any]
    ids: Mapping[str, str]
    """What may stand in a path, by the name of the parameter."""

    @property
    def fit(self) -> str:
        """A path that is well formed, whether or not there is anything."""
        return self.path.format(**self.ids)

    @property
    def query(self) -> list[str]:
        return [one["name"] for one in self.said.get("parameters", []) if one["in"] == "query"]

    @property
    def headers(self) -> list[str]:
        return [one["name"] for one in self.said.get("parameters", []) if one["in"] == "header"]

    @property
    def body(self) -> Any:
        """A body that is well formed; ``None`` where none is taken."""
        content = self.said.get("requestBody", {}).get("content", {})
        return self._example(content["application/json"]["schema"]) if content else None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def urls(self, texts: Sequence[str] = NASTY) -> Iterator[str]:
        """The path with nasty text in the place of each parameter, and each query so."""
        for nasty in map(_quoted, texts):
            for name in self.ids:
                if f"{{{name}}}" in self.path:
                    yield self.path.format(**{**self.ids, name: nasty})
            for name in (*self.query, "unheard_of", nasty):
                yield f"{self.fit}?{name}={nasty}"
        yield f"{self.fit}?{'&'.join(f'p{number}=1' for number in range(1000))}"

    def bodies(self) -> Iterator[Any]:
        """The body with something nasty in each of its places, one at a time."""
        yield from NASTY_JSON
        yield from _spoilt(self.body)

    def _example(self, schema: dict[str, Any]) -> Any:
        if reference := schema.get("$ref"):
            return self._example(self.schemas[reference.rpartition("/")[2]])
        if examples := schema.get("examples"):
            return examples[0]
        if words := schema.get("enum"):
            return words[0]
        match schema.get("type"):
            case "object":
                return {name: self._example(of) for name, of in schema["properties"].items()}
            case "array":
                return [self._example(schema["items"])]
            case "integer":
                return 1
            case "string":
                return "s-1"
        return self._example(schema["anyOf"][0])


def operations(program: Program[Any], ids: Mapping[str, str]) -> list[Operation]:
    """All that the program offers; ``ids`` may stand in its paths."""
    document = create_app(in_memory(program, program.settings())).openapi()
    return [
        Operation(method.upper(), path, said, document["components"]["schemas"], ids)
        for path, methods in document["paths"].items()
        for method, said in methods.items()
    ]


def _quoted(text: str) -> str:
    return quote(text.encode(errors="surrogatepass"), safe="")


def _spoilt(body: Any) -> Iterator[Any]:
    if isinstance(body, dict):
        for name, value in body.items():
            yield from ({**body, name: nasty} for nasty in NASTY_JSON)
            yield from ({**body, name: spoilt} for spoilt in _spoilt(value))
        yield from ({**body, nasty: 1} for nasty in NASTY)
    elif isinstance(body, list):
        yield from ([*body, nasty] for nasty in NASTY_JSON)
        for spoilt in _spoilt(body[0]):
            yield [spoilt]
