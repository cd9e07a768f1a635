"""The Users service, for clients that manage users. esdbclient does not ship it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import grpc
from google.protobuf import descriptor_pb2, message_factory

from embedded_eventstoredb import streams
from embedded_eventstoredb.access import Access
from embedded_eventstoredb.errors import (
    EXPECT_ANY,
    AccessDenied,
    invalid_argument,
    refusals_end,
    unavailable,
    user_exists,
    user_missing,
)
from embedded_eventstoredb.storage import Storage, StorageUnavailable, Transaction
from embedded_eventstoredb.users import (
    USER_CREATED,
    USER_UPDATED,
    User,
    all_users,
    find_user,
    new_user,
    write_user,
)

_PACKAGE: Final = "event_store.client.users"
SERVICE: Final = f"{_PACKAGE}.Users"

_REQUESTS: Final = {
    "Create": ("login_name", "password", "full_name", "groups"),
    "Update": ("login_name", "password", "full_name", "groups"),
    "Delete": ("login_name",),
    "Disable": ("login_name",),
    "Enable": ("login_name",),
    "Details": ("login_name",),
    "ChangePassword": ("login_name", "current_password", "new_password"),
    "ResetPassword": ("login_name", "new_password"),
}
"""The fields of each call's options, in the order of their numbers."""

_Context = grpc.aio.ServicerContext[Any, Any]
_Job = Callable[[Transaction, Any], None]


def methods(storage: Storage, access: Access) -> dict[str, "grpc.RpcMethodHandler[Any, Any]"]:
    """All calls of the service."""
    messages = message_factory.GetMessages([_file()])
    calls = _Calls(storage, access, messages[f"{_PACKAGE}.DetailsResp"])
    details = grpc.unary_stream_rpc_method_handler(
        calls.details,
        request_deserializer=messages[f"{_PACKAGE}.DetailsReq"].FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    changes = {
        method: grpc.unary_unary_rpc_method_handler(
            calls.change(job, own=method == "ChangePassword"),
            request_deserializer=messages[f"{_PACKAGE}.{method}Req"].FromString,
        )
        for method, job in _CHANGES.items()
    }
    return {**changes, "Details": details}


class _Calls:
    def __init__(self, storage: Storage, access: Access, details: type[Any]) -> None:
        self._storage = storage
        self._access = access
        self._details = details

    def change(self, job: _Job, *, own: bool) -> Callable[[Any, _Context], Awaitable[bytes]]:
        """A call that changes a user, for administrators; ``own``: for that user, too."""

        async def call(request: Any, context: _Context) -> bytes:
            options = request.options
            async with refusals_end(context):
                if not options.login_name:
                    raise invalid_argument("The login name is missing.")
                self._access.check_administrator(context, options.login_name if own else "")
                try:
                    await self._storage.write(lambda transaction: job(transaction, options))
                except StorageUnavailable as error:
                    raise unavailable(str(error)) from error
            return b""

        return call

    async def details(self, request: Any, context: _Context) -> AsyncIterator[Any]:
        async with refusals_end(context):
            name = request.options.login_name
            self._access.check_administrator(context, name)
            found = [_existing(self._storage, name)] if name else all_users(self._storage)
            for user in found:
                answer = self._details()
                details = answer.user_details
                details.login_name, details.full_name = user.name, user.full_name
                details.groups.extend(user.groups)
                details.last_updated.ticks_since_epoch = user.updated
                details.disabled = user.disabled
                yield answer


def _create(transaction: Transaction, options: Any) -> None:
    name = options.login_name
    if find_user(transaction, name):
        raise user_exists(name)
    user = new_user(name, options.password, options.full_name, tuple(options.groups))
    write_user(transaction, user, USER_CREATED)


def _update(transaction: Transaction, options: Any) -> None:
    user = _existing(transaction, options.login_name)
    changed = replace(user, full_name=options.full_name, groups=tuple(options.groups))
    write_user(transaction, changed, USER_UPDATED)


def _delete(transaction: Transaction, options: Any) -> None:
    _existing(transaction, options.login_name)
    streams.delete(transaction, f"$user-{options.login_name}", EXPECT_ANY)


def _disable(transaction: Transaction, options: Any) -> None:
    user = _existing(transaction, options.login_name)
    write_user(transaction, replace(user, disabled=True), USER_UPDATED)


def _enable(transaction: Transaction, options: Any) -> None:
    user = _existing(transaction, options.login_name)
    write_user(transaction, replace(user, disabled=False), USER_UPDATED)


def _change_password(transaction: Transaction, options: Any) -> None:
    user = _existing(transaction, options.login_name)
    if not user.has_password(options.current_password):
        raise AccessDenied
    write_user(transaction, user.with_password(options.new_password), USER_UPDATED)


def _reset_password(transaction: Transaction, options: Any) -> None:
    user = _existing(transaction, options.login_name)
    write_user(transaction, user.with_password(options.new_password), USER_UPDATED)


_CHANGES: Final[dict[str, _Job]] = {
    "Create": _create,
    "Update": _update,
    "Delete": _delete,
    "Disable": _disable,
    "Enable": _enable,
    "ChangePassword": _change_password,
    "ResetPassword": _reset_password,
}


def _existing(reading: Any, name: str) -> User:
    if user := find_user(reading, name):
        return user
    raise user_missing(name)


def _file() -> descriptor_pb2.FileDescriptorProto:
    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="users.proto", package=_PACKAGE)
    for method, fields in _REQUESTS.items():
        options = _nest(file, f"{method}Req", "Options", "options")
        for number, name in enumerate(fields, 1):
            label = kind.LABEL_REPEATED if name == "groups" else kind.LABEL_OPTIONAL
            options.field.add(name=name, number=number, type=kind.TYPE_STRING, label=label)
    details = _nest(file, "DetailsResp", "UserDetails", "user_details")
    details.field.add(name="login_name", number=1, type=kind.TYPE_STRING, label=1)
    details.field.add(name="full_name", number=2, type=kind.TYPE_STRING, label=1)
    details.field.add(name="groups", number=3, type=kind.TYPE_STRING, label=3)
    time = details.nested_type.add(name="DateTime")
    time.field.add(name="ticks_since_epoch", number=1, type=kind.TYPE_INT64, label=1)
    inner = f".{_PACKAGE}.DetailsResp.UserDetails.DateTime"
    details.field.add(name="last_updated", number=4, type=11, label=1, type_name=inner)
    details.field.add(name="disabled", number=5, type=kind.TYPE_BOOL, label=1)
    return file


def _nest(
    file: descriptor_pb2.FileDescriptorProto, outer: str, inner: str, field: str
) -> descriptor_pb2.DescriptorProto:
    """Define a message with one field, which is a message itself."""
    message = file.message_type.add(name=outer)
    name = f".{file.package}.{outer}.{inner}"
    message.field.add(name=field, number=1, type=11, label=1, type_name=name)
    return message.nested_type.add(name=inner)
