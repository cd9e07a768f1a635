"""Each server of the tests does what it is there for, on this machine."""

import json
import subprocess
import urllib.request
from base64 import b64encode, urlsafe_b64decode
from urllib.parse import urlencode
from uuid import uuid4  # only: dynamodb

from tests.servers import promtool
from tests.servers.oidc import AUDIENCE, CLIENT
from tests.servers.prometheus import ALERTS


# only: dynamodb
def test_dynamodb_makes_tables(dynamodb: str) -> None:
    """A table that was created is listed."""
    import botocore.session

    client = botocore.session.get_session().create_client(
        "dynamodb",
        endpoint_url=dynamodb,
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
    )
    name = f"test-{uuid4().hex}"
    client.create_table(  # type: ignore[attr-defined]  # botocore adds it later
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )

    assert name in client.list_tables()["TableNames"]  # type: ignore[attr-defined]  # as above


# end: dynamodb
def test_prometheus_loads_the_alerts(prometheus: str) -> None:
    """It has every rule of the page; ``promtool`` finds nothing wrong with any."""
    checked = subprocess.run(
        [promtool(), "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "FAILED" not in checked.stdout + checked.stderr, checked.stderr  # rules that are alike
    with urllib.request.urlopen(f"{prometheus}/api/v1/rules") as answer:
        groups = json.load(answer)["data"]["groups"]
    loaded = [rule["name"] for group in groups for rule in group["rules"]]
    assert len(loaded) == ALERTS.read_text().count("alert:") > 0


def test_alertmanager_takes_an_alert(alertmanager: str) -> None:
    """An alert that was sent to it is active."""
    alert = json.dumps([{"labels": {"alertname": "ProjectionStopped"}}]).encode()
    header = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{alertmanager}/api/v2/alerts", alert, header))

    with urllib.request.urlopen(f"{alertmanager}/api/v2/alerts") as answer:
        assert [one["labels"]["alertname"] for one in json.load(answer)] == ["ProjectionStopped"]


def test_oidc_signs_tokens_for_the_service(oidc: str) -> None:
    """A token names the issuer and the audience, and is signed with a key that it publishes."""
    form = {"grant_type": "client_credentials", "resource": AUDIENCE, "scope": "orders"}
    request = urllib.request.Request(f"{oidc}/token", urlencode(form).encode())
    request.add_header("Authorization", f"Basic {b64encode(':'.join(CLIENT).encode()).decode()}")
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["access_token"]
    with urllib.request.urlopen(f"{oidc}/jwks") as answer:
        keys = {key["kid"] for key in json.load(answer)["keys"]}

    header, claims = (json.loads(urlsafe_b64decode(f"{one}==")) for one in token.split(".")[:2])
    assert (header["alg"], header["kid"] in keys) == ("RS256", True)
    assert (claims["iss"], claims["aud"], claims["scope"]) == (oidc, AUDIENCE, "orders")
