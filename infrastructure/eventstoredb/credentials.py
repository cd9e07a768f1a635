"""Who we are to an EventStoreDB, and whom we trust: read from its address.

The client takes a password as it is written in the address, so ``%40`` would stay ``%40``. It does
not check the files before it connects, and reports a refusal as a server that does not answer.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit, urlunsplit

import grpc
from esdbclient.connection_spec import ConnectionOptions, ConnectionSpec

from infrastructure.certificates import require_pair, trusted

_ANYBODY: Final = "nobody:nothing@"  # the client wants a login, also where a certificate is one
_REFUSED: Final = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)


class Login(NamedTuple):
    """A user, and the password as it was set."""

    user: str
    password: str


def without_login(uri: str) -> tuple[str, Login | None]:
    """The address for the client, which then has no secret to repeat, and who we are."""
    parts = urlsplit(uri)
    login = Login(unquote(parts.username or ""), unquote(parts.password or ""))
    nobody = parts._replace(netloc=f"{_ANYBODY}{parts.netloc.rpartition('@')[2]}")
    return urlunsplit(nobody), login if all(login) else None


def options_of(address: str) -> ConnectionOptions:
    """The options of an address without a login. Raises ``ValueError`` if it is none."""
    try:
        return ConnectionSpec(address).options
    except ValueError as error:
        reason = str(error).replace(address, "the address")
        raise ValueError(
            f"not an address of EventStoreDB: {reason}; "
            "write it like esdb://localhost:2113?tls=false or esdb://user:password@host:2113"
        ) from None


def require_usable(options: ConnectionOptions, login: Login | None) -> None:
    """Raises ``ValueError`` for options that do not let us in, whatever the server is.

    The error names the option, and what is right.
    """
    certificate, key = options.UserCertFile, options.UserKeyFile
    if bool(certificate) != bool(key):
        raise ValueError("UserCertFile and UserKeyFile go together: give both")
    if not options.Tls:
        if certificate or options.TlsCaFile:
            raise ValueError("with tls=false no certificate is used: leave out tls=false")
        return
    if not options.TlsVerifyCert:
        raise ValueError(
            "TlsVerifyCert=false cannot be used, since a certificate is always verified: give "
            "TlsCaFile=PATH with the certificate of the authority"
        )
    if options.TlsCaFile:
        trusted(Path(options.TlsCaFile))
    if certificate and key:
        require_pair(Path(certificate), Path(key))
    elif login is None:
        raise ValueError(
            "with TLS it needs a user: write esdb://user:password@host:2113, or give UserCertFile "
            "and UserKeyFile; without TLS: tls=false"
        )


def refusal(error: BaseException, login: Login | None) -> str | None:
    """What is wrong if the server has refused us, or we do not trust it; ``None``: neither."""
    for code, text in _failures(error):
        if code in _REFUSED:
            who = f"the user {login.user!r}" if login else "the certificate of UserCertFile"
            return (
                f"it refuses {who} ({text}): set a user and a password that it knows, with the "
                "right to read $all"
            )
        for sign, meaning in _MEANINGS.items():
            if re.search(sign, text):
                return meaning
    return None


def _failures(error: BaseException | None) -> Iterator[tuple[grpc.StatusCode | None, str]]:
    """Code and text of an error and of its causes. The client drops the code of some."""
    while error is not None:
        for one in (error, *error.args):
            if isinstance(one, grpc.Call | grpc.aio.AioRpcError):
                yield one.code(), str(one.details())
        yield None, str(error)
        error = error.__cause__


_MEANINGS: Final = {
    "CERTIFICATE_VERIFY_FAILED": (
        "its certificate cannot be trusted: give TlsCaFile=PATH with the certificate of the "
        "authority that signs it"
    ),
    "[Hh]ostname|[Pp]eer name": (
        "its certificate is for another name: write a host that the certificate names"
    ),
    "WRONG_VERSION_NUMBER": "it does not speak TLS: write tls=false",
}


def why_ended(error: BaseException, options: ConnectionOptions) -> str | None:
    """What may be wrong if the server ended the connection, beside that it may be starting.

    ``None`` if it did not end it. An end that gRPC does not see is a silence for us.
    """
    if not (_ENDED.search(str(error)) or isinstance(error.__cause__, TimeoutError)):
        return None
    if not options.Tls:
        return "a server that wants TLS does the same: leave out tls=false then"
    return (
        "a server that refuses our certificate does the same: give UserCertFile=PATH and "
        "UserKeyFile=PATH that its authority has signed then"
    )


_ENDED: Final = re.compile(
    r"(?i)socket closed|connection (reset|aborted|was closed)|broken pipe|alert"
)
# A refusal after the handshake: bytes of ours that were on their way turn the end into a reset.
# A reset that comes just while gRPC reads is seen at its next ping only, after our patience.


def shown(uri: str) -> str:
    """The address without its login and its options."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
