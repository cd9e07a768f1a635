"""From an OpenAPI document to one page of HTML: routes by tag, then their schemas."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from shlex import quote
from typing import Any

from infrastructure.http.description.schemas import example, fields, kind, named

Json = Mapping[str, Any]


def page(openapi: Json) -> str:
    """The whole page. Raises ``KeyError`` for what is not an OpenAPI document."""
    info, schemas = openapi["info"], openapi.get("components", {}).get("schemas", {})
    tags: defaultdict[str, list[str]] = defaultdict(list)
    contents: defaultdict[str, list[str]] = defaultdict(list)
    for path, methods in openapi["paths"].items():
        for method, said in methods.items():
            tag = said.get("tags", ["other"])[0]
            tags[tag].append(_operation(method.upper(), path, said, schemas))
            contents[tag].append(_entry(method.upper(), path, said))
    return _PAGE.format(
        title=escape(info["title"]),
        version=escape(info["version"]),
        about=_prose(info.get("description", "")),
        contents="".join(_group(tag, entries) for tag, entries in contents.items()),
        operations="".join(
            f"<h2>{escape(tag.capitalize())}</h2>{''.join(these)}" for tag, these in tags.items()
        ),
        schemas="".join(_schema(name, of) for name, of in sorted(schemas.items())),
    )


def _group(tag: str, entries: Sequence[str]) -> str:
    return f"<h2>{escape(tag.capitalize())}</h2><ul>{''.join(entries)}</ul>"


def _entry(method: str, path: str, said: Json) -> str:
    return f'<li><a href="#{_anchor(said)}">{_method(method)} {_path(path)}</a></li>'


def _operation(method: str, path: str, said: Json, schemas: Json) -> str:
    body = _body(said)
    return (
        f'<article id="{_anchor(said)}"><h3>{_method(method)} {_path(path)}</h3>'
        f"{_prose(said.get('description', said.get('summary', '')))}"
        f"{_parameters(said.get('parameters', ()))}"
        f"{_fields('Body', fields(body, schemas)) if body else ''}"
        f"{_answers(said.get('responses', {}))}"
        f"<pre>{escape(_curl(method, path, said, schemas))}</pre></article>"
    )


def _parameters(parameters: Sequence[Json]) -> str:
    rows = [
        (f"{one['name']}", kind(one.get("schema", {})), one.get("description", ""), one["in"])
        for one in parameters
    ]
    cells = (
        f"<tr><td><code>{escape(name)}</code><td>{what}<td>{escape(where)}<td>{_inline(said)}"
        for name, what, said, where in rows
    )
    return f"<h4>Parameters</h4>{_table(cells)}" if rows else ""


def _fields(title: str, rows: Iterator[tuple[str, str, str, bool]]) -> str:
    cells = (
        f"<tr><td><code>{escape(name)}</code><td>{what}"
        f"<td>{'' if needed else 'optional'}<td>{_inline(said)}"
        for name, what, said, needed in rows
    )
    return f"<h4>{title}</h4>{_table(cells)}"


def _answers(responses: Json) -> str:
    cells = (
        f"<tr><td><code>{escape(status)}</code><td>{_shape(of)}<td><td>"
        f"{_inline(of.get('description', ''))}"
        for status, of in sorted(responses.items())
    )
    return f"<h4>Answers</h4>{_table(cells)}"


def _shape(response: Json) -> str:
    return " or ".join(kind(of.get("schema", {})) for of in response.get("content", {}).values())


def _schema(name: str, schema: Json) -> str:
    table = _fields("", fields(schema, {})) if "properties" in schema else f"<p>{kind(schema)}"
    description = _prose(schema.get("description", ""))
    return f'<article id="{named(name)}"><h3>{escape(name)}</h3>{description}{table}</article>'


def _table(rows: Iterator[str]) -> str:
    return f'<div class="wide"><table>{"".join(rows)}</table></div>'


def _body(said: Json) -> Json:
    content = said.get("requestBody", {}).get("content", {})
    schema: Json = content.get("application/json", {}).get("schema", {})
    return schema


def _curl(method: str, path: str, said: Json, schemas: Json) -> str:
    """A line to try."""
    given = {one["name"]: one.get("schema", {}) for one in said.get("parameters", ())}
    filled = re.sub(r"{(\w+)}", lambda found: str(example(given.get(found[1], {}), {})), path)
    body = _body(said)
    data = json.dumps(example(body, schemas), ensure_ascii=False) if body else ""
    sent = f" -H 'Content-Type: application/json' -d {quote(data)}" if body else ""
    verb = "" if method == "GET" else f" -X {method}"
    return f"curl{verb} {quote(f'http://127.0.0.1:8000{filled}')}{sent}"


def _method(method: str) -> str:
    return f'<span class="method {escape(method.lower())}">{escape(method)}</span>'


def _path(path: str) -> str:
    """With places where a long one may break."""
    return f"<code>{escape(path).replace('/', '/<wbr>')}</code>"


def _anchor(said: Json) -> str:
    return escape(said["operationId"])


def _prose(text: str) -> str:
    return "".join(f"<p>{_inline(part)}</p>" for part in re.split(r"\n\s*\n", text.strip()) if part)


def _inline(text: str) -> str:
    """Code between backticks; all else is text."""
    return re.sub(r"`{1,2}([^`]+)`{1,2}", r"<code>\1</code>", escape(text))


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} {version}</title>
<link rel="stylesheet" href="/docs/page.css">
<header><h1>{title} <small>{version}</small></h1>{about}
<p>As OpenAPI: <a href="/openapi.json">openapi.json</a></p></header>
<nav aria-label="Contents">{contents}
<h2>Shapes</h2><ul><li><a href="#shapes">all</a></li></ul></nav>
<main>{operations}<h2 id="shapes">Shapes</h2>{schemas}</main>
</html>
"""
