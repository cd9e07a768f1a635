"""JSON Schemas of integration events: the form of their data, as other systems can read it.

Each schema stands alone: what it refers to is written where it is used, and it needs nothing that
draft 7 does not have. Objects may have more fields than are described, and readers ignore those.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic.json_schema import GenerateJsonSchema

from application.integration_events import IntegrationEvent

Schema = dict[str, Any]

_NAMES_OF_FIELDS: Final = ("properties", "patternProperties")
_PREFIX: Final = "#/$defs/"


class RefersToItself(ValueError):
    """The data of an integration event holds data of its own type: give it a bounded depth."""


def written(event: type[IntegrationEvent]) -> Schema:
    """The form in which the service writes it. Raises :class:`RefersToItself`."""
    aliases = bool(event.model_config.get("serialize_by_alias"))
    return _schema(event, "serialization", by_alias=aliases)


def read(event: type[IntegrationEvent]) -> Schema:
    """The form in which the service reads it. Raises :class:`RefersToItself`."""
    return _schema(event, "validation", by_alias=True)


class _Generator(GenerateJsonSchema):
    """Without a title for each field, which would only repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - of pydantic
        return False


def _schema(
    event: type[IntegrationEvent], mode: Literal["validation", "serialization"], *, by_alias: bool
) -> Schema:
    made = event.model_json_schema(by_alias, schema_generator=_Generator, mode=mode)
    try:
        found = _standing_alone(made, made.pop("$defs", {}), ())
    except RefersToItself as error:
        raise RefersToItself(f"{event.kind}: {error}") from None
    assert isinstance(found, dict)  # of a model
    return found


def _standing_alone(node: Any, parts: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    """The node with each reference replaced by what it refers to."""
    if isinstance(node, list):
        return [_standing_alone(item, parts, within) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return _in_draft_7(
            {
                key: value
                if key in ("const", "enum", "default", "examples")  # data, whatever it looks like
                else {name: _standing_alone(one, parts, within) for name, one in value.items()}
                if key in _NAMES_OF_FIELDS
                else _standing_alone(value, parts, within)
                for key, value in node.items()
                if key != "discriminator"  # of OpenAPI, and refers to definitions
            }
        )
    name = node["$ref"].removeprefix(_PREFIX)
    if name in within:
        raise RefersToItself(f"{name} holds a {name}: its data has to end at some depth")
    besides = {key: value for key, value in node.items() if key != "$ref"}
    return _standing_alone({**parts[name], **besides}, parts, (*within, name))


def _in_draft_7(node: dict[str, Any]) -> dict[str, Any]:
    """Alternatives are ``anyOf``, also where a field distinguishes them; a tuple is ``items``."""
    if "oneOf" in node:
        node["anyOf"] = node.pop("oneOf")
    if "prefixItems" in node:
        node["additionalItems"] = node.pop("items", True)
        node["items"] = node.pop("prefixItems")
    return node
