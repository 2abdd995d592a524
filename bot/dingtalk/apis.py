"""DingTalk's addresses, the application's keys, and the API calls of the bot."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from bot.outbox.spending import Purpose


class Host(StrEnum):
    """The API family of a call (docs: platform/dingtalk/openapi.md#hosts)."""

    API = "api"
    """The new OpenAPI: token in a header, errors by HTTP status."""

    OAPI = "oapi"
    """The old OpenAPI: token in the query, errors as ``errcode`` under HTTP 200."""

    WEBHOOK = "webhook"
    """An address that DingTalk handed out and that is itself the key; errors as ``errcode`` under HTTP 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base addresses; tests and the simulator have their own."""

    api: str = "https://api.dingtalk.com"
    oapi: str = "https://oapi.dingtalk.com"

    def base(self, host: Host) -> str:
        """Return the base address of ``host``; empty for a webhook, whose own address is complete."""
        return {Host.API: self.api, Host.OAPI: self.oapi, Host.WEBHOOK: ""}[host].rstrip("/")


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The application's identity. ``robot_code`` equals the client id unless the console says otherwise."""

    client_id: str
    client_secret: SecretStr
    robot_code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "robot_code", self.robot_code or self.client_id)

    def robot(self, announced: str) -> str:
        """Return the robot code for answers, given the one announced in a message.

        A few kinds of bots announce the literal ``normal`` (docs: platform/dingtalk/messages.md#fields), which no API
        accepts.
        """
        return self.robot_code if announced in ("", "normal") else announced


STANDARD_QPS = 20.0
"""Calls per second of one app to one API in the standard edition
(docs: platform/dingtalk/limits.md#calls-per-second)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One call. ``name`` is the bounded metric label.

    ``billed`` calls count against the organisation's month, a ``use`` against its Webhook & Stream quota.
    ``idempotent`` calls may be repeated after an unknown outcome. ``token`` is False if the call needs no access token.
    ``purpose`` is the default purpose.
    """

    name: str
    method: str
    path: str
    host: Host = Host.API
    qps: float = STANDARD_QPS
    billed: bool = True
    use: bool = False
    idempotent: bool = False
    token: bool = True
    purpose: Purpose = Purpose.OTHER


ACCESS_TOKEN = ApiCall(
    name="access_token", method="POST", path="/v1.0/oauth2/accessToken", billed=False, idempotent=True, token=False
)
CREATE_AND_DELIVER = ApiCall(
    # The same outTrackId never creates a second card (docs: platform/dingtalk/cards.md#idempotency).
    name="create_and_deliver",
    method="POST",
    path="/v1.0/card/instances/createAndDeliver",
    idempotent=True,
)
UPDATE_CARD = ApiCall(name="update_card", method="PUT", path="/v1.0/card/instances", idempotent=True)
CLOSE_TOP = ApiCall(name="close_top", method="POST", path="/v1.0/card/tops/close", idempotent=True)
GROUP_SEND = ApiCall(name="group_send", method="POST", path="/v1.0/robot/groupMessages/send")
MEDIA_UPLOAD = ApiCall(
    # A second upload gives a second id, which nobody sees (docs: platform/dingtalk/files.md#upload).
    name="media_upload",
    method="POST",
    path="/media/upload",
    host=Host.OAPI,
    idempotent=True,
)
DIRECT_SEND = ApiCall(name="direct_send", method="POST", path="/v1.0/robot/oToMessages/batchSend")
DING_SEND = ApiCall(name="ding_send", method="POST", path="/v1.0/robot/ding/send")
SESSION_WEBHOOK = ApiCall(
    name="session_webhook", method="POST", path="", host=Host.WEBHOOK, billed=False, use=True, token=False
)
MESSAGE_FILE = ApiCall(
    name="message_file",
    method="POST",
    path="/v1.0/robot/messageFiles/download",
    idempotent=True,
    purpose=Purpose.QUESTION,
)
MESSAGE_FILE_CONTENT = ApiCall(
    # A signed address outside the OpenAPI (docs: platform/dingtalk/files.md#download).
    name="message_file_content",
    method="GET",
    path="",
    host=Host.WEBHOOK,
    billed=False,
    idempotent=True,
    token=False,
)


def _contacts(name: str, path: str) -> ApiCall:
    """Return a call that reads contacts, which no quota counts (docs: platform/dingtalk/limits.md#not-counted)."""
    return ApiCall(name=name, method="POST", path=path, host=Host.OAPI, billed=False, idempotent=True)


USER = _contacts("user", "/topapi/v2/user/get")
USERS_OF_DEPARTMENT = _contacts("users_of_department", "/topapi/v2/user/list")
DEPARTMENTS_BELOW = _contacts("departments_below", "/topapi/v2/department/listsub")
ROLES = _contacts("roles", "/topapi/role/list")
USERS_WITH_ROLE = _contacts("users_with_role", "/topapi/role/simplelist")


def _approval(name: str, path: str, *, method: str = "POST", idempotent: bool = True) -> ApiCall:
    """Return a call of DingTalk's own approvals.

    A task can be executed or handed over, and an approval terminated, only once: a second call is refused (docs:
    platform/dingtalk/approvals.md#errors).
    """
    path = f"/v1.0/workflow/{path}"
    return ApiCall(name=name, method=method, path=path, purpose=Purpose.APPROVAL, idempotent=idempotent)


APPROVAL_START = _approval("approval_start", "processInstances", idempotent=False)
APPROVAL_READ = _approval("approval_read", "processInstances", method="GET")
APPROVAL_EXECUTE = _approval("approval_execute", "processInstances/execute")
APPROVAL_TERMINATE = _approval("approval_terminate", "processInstances/terminate")
APPROVAL_HAND_OVER = _approval("approval_hand_over", "tasks/redirect")
APPROVAL_COMMENT = _approval("approval_comment", "processInstances/comments", idempotent=False)
APPROVAL_LIST = _approval("approval_list", "processes/instanceIds/query")


def _todo(name: str, method: str) -> ApiCall:
    """Return a to-do call. The paths contain people and to-dos, so each call has its own address."""
    return ApiCall(name=name, method=method, path="", purpose=Purpose.APPROVAL, idempotent=True)


# The same sourceId never creates a second one (docs: platform/dingtalk/todos.md#create).
TODO_CREATE = _todo("todo_create", "POST")
TODO_FIND = _todo("todo_find", "GET")
TODO_UPDATE = _todo("todo_update", "PUT")
TODO_EXECUTORS = _todo("todo_executors", "PUT")
TODO_DELETE = _todo("todo_delete", "DELETE")


def _records(name: str, method: str) -> ApiCall:
    """Return a call of AI tables. The paths contain tables, so each call has its own address.

    Rows are named by their id, and an insertion by its `clientToken`, so all may be repeated (docs:
    platform/dingtalk/ai-tables.md#insert).
    """
    return ApiCall(name=name, method=method, path="", purpose=Purpose.SHEET, idempotent=True)


SHEET_FIELDS = _records("sheet_fields", "GET")
SHEET_ADD_FIELD = ApiCall(name="sheet_add_field", method="POST", path="", purpose=Purpose.SHEET)
SHEET_READ = _records("sheet_read", "POST")
SHEET_INSERT = _records("sheet_insert", "POST")
SHEET_UPDATE = _records("sheet_update", "PUT")
SHEET_DELETE = _records("sheet_delete", "POST")
