"""DingTalk's SDK, without ``requests`` until one of its own handlers makes a call: 5 MB less (measured)."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType


class _LoadedLater(ModuleType):
    """Stands in for a module imported by the SDK, and loads it on first use."""

    def __getattr__(self, name: str) -> object:
        return getattr(import_module(self.__name__), name)


_stands_in = "requests" not in sys.modules
if _stands_in:
    sys.modules["requests"] = _LoadedLater("requests")

# After the stand-in: the SDK imports modules that are loaded later.
from dingtalk_stream import AckMessage as AckMessage  # noqa: E402
from dingtalk_stream import CallbackHandler as CallbackHandler  # noqa: E402
from dingtalk_stream import CallbackMessage as CallbackMessage  # noqa: E402
from dingtalk_stream import ChatbotMessage as ChatbotMessage  # noqa: E402
from dingtalk_stream import Credential as Credential  # noqa: E402
from dingtalk_stream import DingTalkStreamClient as DingTalkStreamClient  # noqa: E402
from dingtalk_stream import EventHandler as EventHandler  # noqa: E402
from dingtalk_stream import EventMessage as EventMessage  # noqa: E402
from dingtalk_stream import SystemMessage as SystemMessage  # noqa: E402
from dingtalk_stream.frames import Headers as Headers  # noqa: E402
from dingtalk_stream.version import VERSION_STRING as VERSION_STRING  # noqa: E402

if _stands_in:
    del sys.modules["requests"]
