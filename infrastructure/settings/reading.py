"""Settings as they are read: from the environment, and from a ``.env`` file that it overrules.

The environment belongs to all programs of a machine, so an unknown name is refused only if it has
the prefix of our settings, or is one or two letters off the name of a setting that is not set.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from dotenv import dotenv_values
from pydantic import ValidationError

from infrastructure.settings.model import Settings
from infrastructure.settings.naming import InvalidSettings
from infrastructure.settings.secret_files import UnreadableSecret, is_secret, with_files_read

_FILE: Final = ".env"
_ALIKE: Final = 0.88  # of 1: EVENT_STOR and EVENTSTORE_URI are, HTTP_PROXY is not
_RELATED: Final = 0.5  # of 1, for names that have our prefix, so that ours is meant for certain
_OTHERS: Final = frozenset({"HTTPS_HOST", "HTTPS_PORT", "LOGLEVEL"})  # have a meaning of their own
_ANNOUNCED: Final = re.compile(r"(\w+_SERVICE_)(HOST|PORT(_\w+)?)")
_LINK: Final = re.compile(r"\w+_PORT_\d+_\w+")
_LINKED: Final = re.compile(r"(tcp|udp|sctp)://.*")

Model = TypeVar("Model", bound=Settings)


def load(model: type[Model], /, **given: Any) -> Model:
    """The settings of this process; ``given`` values come before the environment.

    Raises :class:`InvalidSettings`.
    """
    try:
        file = dotenv_values(_FILE) if Path(_FILE).is_file() else {}
    except OSError as error:
        raise InvalidSettings(f"{_FILE} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InvalidSettings(f"{_FILE} is not UTF-8 (byte {error.start})") from error
    return parse(model, file, os.environ, **given)


def parse(model: type[Model], *sources: Mapping[str, str | None], **given: Any) -> Model:
    """The settings that these variables stand for; later ones overrule earlier ones.

    An empty variable is as if it were not there. Raises :class:`InvalidSettings`.
    """
    try:
        read = [_Variables(model, source) for source in sources]
    except UnreadableSecret as error:
        raise InvalidSettings(str(error)) from error
    if wrong := [*(line for one in read for line in one.conflicts()), *_unknown(model, read)]:
        raise InvalidSettings("\n".join(wrong))
    values = {field: value for one in read for field, value in one.values().items()}
    try:
        return model(**{**values, **given})
    except ValidationError as error:
        lines = (_sentence(model, wrong) for wrong in error.errors())
        raise InvalidSettings("\n".join(lines)) from error


def _is_link(name: str, named: Mapping[str, str | None]) -> bool:
    """Whether Kubernetes or Docker set it, for a service of the cluster.

    Kubernetes sets host and port together. One of them alone may be a misspelt setting: the names
    of a service's own settings may begin with ``MY_SERVICE_``.
    """
    of = _ANNOUNCED.fullmatch(name)
    announced = of and {f"{of[1]}HOST", f"{of[1]}PORT"} <= named.keys()
    linked = name.endswith("_PORT") and _LINKED.fullmatch(named[name] or "")
    return bool(announced or linked or _LINK.fullmatch(name))


class _Variables:
    """The variables of one source, by their names in upper case, with what their files have."""

    def __init__(self, model: type[Settings], source: Mapping[str, str | None]) -> None:
        self._model = model
        named = with_files_read(model, {name.upper(): text for name, text in source.items()})
        self.all = {name: text for name, text in named.items() if not _is_link(name, named)}

    def values(self) -> Mapping[str, str]:
        """The text of each field that is set here."""
        found = {field: self._of(field) for field in self._model.model_fields}
        return {field: next(iter(texts.values())) for field, texts in found.items() if texts}

    def conflicts(self) -> Iterator[str]:
        """A sentence for each field that is set to two values, under its two names."""
        for field in self._model.model_fields:
            texts = self._of(field)
            if len(set(texts.values())) > 1:
                new, old = texts
                yield f"{new} and {old}: one setting has two values: set {new} alone"

    def _of(self, field: str) -> Mapping[str, str]:
        names = names_of(self._model, field)
        return {name: text for name in names if (text := self.all.get(name))}


def names_of(model: type[Settings], field: str) -> list[str]:
    """The variables that set this field: with the prefix, and perhaps without."""
    old = [field.upper()] if field in model.once_unprefixed else []
    return [model.name_of(field), *old]


def _unknown(model: type[Settings], read: Iterable[_Variables]) -> Iterator[str]:
    """A sentence for each name that looks like a setting but is not one."""
    given = {name for one in read for name in one.all}
    known = {name: field for field in model.model_fields for name in names_of(model, field)}
    are_set = {known[name] for name in given if name in known}
    unset = {name: field for name, field in known.items() if field not in are_set}
    for name in sorted(given.difference(known, _OTHERS)):
        if close := get_close_matches(name, unset, n=1, cutoff=_ALIKE):
            right = model.name_of(unset[close[0]])
            yield f"{name}: there is no such setting: set {right}, if that is meant"
        elif name.startswith(model.prefix):
            yield f"{name}: there is no such setting: {_nearest(model, name)}"


def _nearest(model: type[Settings], name: str) -> str:
    rest = name.removeprefix(model.prefix).lower()
    if close := get_close_matches(rest, model.model_fields, n=1, cutoff=_RELATED):
        return f"set {model.name_of(close[0])}, if that is meant"
    return f"there are {', '.join(map(model.name_of, model.model_fields))}"


def _sentence(model: type[Settings], error: Any) -> str:
    reason = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return reason  # a rule over several settings: it names them itself
    field = str(error["loc"][0])
    value = "the value" if is_secret(model, field) else repr(error["input"])
    return f"{model.name_of(field)}: {value} cannot be used: {reason[:1].lower()}{reason[1:]}"
