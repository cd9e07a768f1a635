"""Which settings lead to tables in DynamoDB."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from infrastructure.settings.naming import NamedSettings
from infrastructure.settings.values import HttpUri


class DynamoDBSettings(NamedSettings):
    """DynamoDB"""

    dynamodb_uri: HttpUri | None = None
    """The endpoint of DynamoDB, where it is not that of AWS: `http://127.0.0.1:4566`. Credentials
    come from where AWS's tools look for them: `AWS_PROFILE`, for example."""
    dynamodb_ca_file: Path | None = None
    """The certificates, as PEM, one of which signs that of `{dynamodb_uri}`; unset: those of AWS's
    tools."""
    dynamodb_region: str | None = None
    """The AWS region of the tables: `eu-central-1`; unset: the one of AWS's tools."""
    dynamodb_table_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,200}$")] = "headwater-"
    """What the names of the tables begin with, which `migrate` makes: letters, digits and `_.-`.
    Each service in an account has its own."""

    @model_validator(mode="after")
    def _certificates_for_an_endpoint(self) -> Self:
        if self.dynamodb_ca_file and not (self.dynamodb_uri or "").startswith("https://"):
            raise ValueError(
                f"{self.name_of('dynamodb_ca_file')}: it is for a {self.name_of('dynamodb_uri')} "
                "that begins with https://: set that too, or unset it"
            )
        return self
