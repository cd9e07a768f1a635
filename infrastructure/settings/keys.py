"""The master keys, which wrap the keys of data subjects."""

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import AfterValidator, SecretStr, model_validator

from infrastructure.master_keys import DEVELOPMENT, MasterKeys, read_master_key
from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import words


def _one(text: SecretStr) -> SecretStr:
    read_master_key(text.get_secret_value())
    return text


def _several(text: SecretStr) -> SecretStr:
    for one in _listed(text):
        read_master_key(one)
    return text


def _listed(text: SecretStr | None) -> Sequence[str]:
    listed: Sequence[str] = words(text.get_secret_value() if text else "")
    return listed


class KeySettings(NamedSettings):
    """Personal data"""

    master_key: Annotated[SecretStr, AfterValidator(_one)] | None = None
    """The master key: 32 random bytes in base64, as `openssl rand -base64 32` prints them. It wraps
    the keys of data subjects, and without it no personal data can be read. Unset: a key that
    everybody knows, for a service that only this machine can reach. All processes need the same
    value."""
    master_keys_before: Annotated[SecretStr, AfterValidator(_several)] | None = None
    """Earlier master keys, separated by commas: they unwrap what they have wrapped, until
    `rotate-master-key` has wrapped everything by `{master_key}`."""

    @model_validator(mode="after")
    def _newest_is_set(self) -> Self:
        if self.master_keys_before is not None and self.master_key is None:
            newest = self.name_of("master_key")
            before = self.name_of("master_keys_before")
            raise ValueError(f"{newest}: {before} goes with it: set both, or neither")
        return self

    @property
    def master_keys(self) -> MasterKeys:
        """Those that are set, or that of development."""
        newest = self.master_key.get_secret_value() if self.master_key else DEVELOPMENT
        before = [read_master_key(one) for one in _listed(self.master_keys_before)]
        return MasterKeys(read_master_key(newest), before)
