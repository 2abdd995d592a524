"""The calls to DingTalk that the bot makes, each with what the transport must know about it."""

from __future__ import annotations

from dataclasses import dataclass

from bot.dingtalk.endpoints import Host

STANDARD_QPS = 20.0
"""Calls per second of one app to one API in the standard edition (DingTalk sheet, 7.6)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One call. ``name`` is the bounded metric label.

    ``billed`` calls count against the organisation's month. ``idempotent`` calls may be repeated when their outcome is
    unknown. ``token`` is False where the call proves itself in another way.
    """

    name: str
    method: str
    path: str
    host: Host = Host.API
    qps: float = STANDARD_QPS
    billed: bool = True
    idempotent: bool = False
    token: bool = True


ACCESS_TOKEN = Api(
    name="access_token", method="POST", path="/v1.0/oauth2/accessToken", billed=False, idempotent=True, token=False
)
CREATE_AND_DELIVER = Api(
    # The same outTrackId never makes a second card (DingTalk sheet, 5.4).
    name="create_and_deliver",
    method="POST",
    path="/v1.0/card/instances/createAndDeliver",
    idempotent=True,
)
UPDATE_CARD = Api(name="update_card", method="PUT", path="/v1.0/card/instances", idempotent=True)
GROUP_SEND = Api(name="group_send", method="POST", path="/v1.0/robot/groupMessages/send")
DIRECT_SEND = Api(name="direct_send", method="POST", path="/v1.0/robot/oToMessages/batchSend")
FILE_ADDRESS = Api(name="file_address", method="POST", path="/v1.0/robot/messageFiles/download", idempotent=True)
FILE_FETCH = Api(
    name="file_fetch", method="GET", path="", host=Host.WEBHOOK, billed=False, idempotent=True, token=False
)
MEDIA_UPLOAD = Api(name="media_upload", method="POST", path="/media/upload", host=Host.OAPI, idempotent=True)
SESSION_WEBHOOK = Api(name="session_webhook", method="POST", path="", host=Host.WEBHOOK, billed=False, token=False)
# Contacts are exempt from the monthly quota (DingTalk sheet, 7.6).
USER = Api(name="user", method="POST", path="/topapi/v2/user/get", host=Host.OAPI, billed=False, idempotent=True)
USER_BY_UNION_ID = Api(
    name="user_by_union_id",
    method="POST",
    path="/topapi/user/getbyunionid",
    host=Host.OAPI,
    billed=False,
    idempotent=True,
)
APPROVAL_START = Api(name="approval_start", method="POST", path="/v1.0/workflow/processInstances")
APPROVAL_READ = Api(name="approval_read", method="GET", path="/v1.0/workflow/processInstances", idempotent=True)
# A task is executed and an approval called off once: the second time is refused (DingTalk sheet, 10).
APPROVAL_EXECUTE = Api(
    name="approval_execute", method="POST", path="/v1.0/workflow/processInstances/execute", idempotent=True
)
APPROVAL_TERMINATE = Api(
    name="approval_terminate", method="POST", path="/v1.0/workflow/processInstances/terminate", idempotent=True
)
APPROVAL_COMMENT = Api(name="approval_comment", method="POST", path="/v1.0/workflow/processInstances/comments")
APPROVAL_LIST = Api(
    name="approval_list", method="POST", path="/v1.0/workflow/processes/instanceIds/query", idempotent=True
)
