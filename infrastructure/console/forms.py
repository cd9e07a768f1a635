"""What a form has sent: text by name, once each, from a page of this console."""

from collections.abc import Mapping
from typing import Annotated, Final
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from domain.values import normal
from infrastructure.console.routing import BadForm
from infrastructure.console.sessions import require_own_form

_MOST: Final = 50  # fields
_KIND: Final = "application/x-www-form-urlencoded"


async def sent(request: Request) -> Mapping[str, str]:
    """The fields of the form, empty ones too. Raises :class:`BadForm`."""
    if request.headers.get("content-type", "").partition(";")[0] != _KIND:
        raise BadForm(f"a form is sent as {_KIND}")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
        fields = {name: normal(value) for name, value in pairs}
    except ValueError as error:
        raise BadForm(f"the form cannot be read: {error}") from error
    if len(fields) != len(pairs):
        raise BadForm("a field of the form was sent twice")
    site = request.app.state.console
    own = site.settings.console_origin
    require_own_form(request, site.sessions.of(request), fields.get("form_token", ""), own)
    return fields


Sent = Annotated[Mapping[str, str], Depends(sent)]
