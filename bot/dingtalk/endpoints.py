"""Where DingTalk is and who we are there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr


class Host(StrEnum):
    """Which of DingTalk's two API families a call belongs to (DingTalk sheet, 0)."""

    API = "api"
    """The new OpenAPI: token in a header, errors by HTTP status."""

    OAPI = "oapi"
    """The old OpenAPI: token in the query, errors as ``errcode`` under HTTP 200."""

    WEBHOOK = "webhook"
    """An address that DingTalk handed out and that is itself the key; errors as ``errcode`` under HTTP 200."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base addresses without a trailing slash; tests and the simulator put their own here."""

    api: str = "https://api.dingtalk.com"
    oapi: str = "https://oapi.dingtalk.com"

    def base(self, host: Host) -> str:
        """Return the base address of ``host``; a webhook has none, its address is whole."""
        return {Host.API: self.api, Host.OAPI: self.oapi, Host.WEBHOOK: ""}[host].rstrip("/")


@dataclass(frozen=True, slots=True)
class AppKeys:
    """The application's identity. ``robot_code`` is the client id unless the console says otherwise."""

    client_id: str
    client_secret: SecretStr
    robot_code: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "robot_code", self.robot_code or self.client_id)

    def robot(self, announced: str) -> str:
        """Return the robot code to answer with, given the one that a message announced.

        A few kinds of bots announce the literal ``normal`` (DingTalk sheet, 2.1), which no API accepts.
        """
        return self.robot_code if announced in ("", "normal") else announced
