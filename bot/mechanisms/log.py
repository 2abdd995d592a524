"""The log: structured, one line per event, redacted before anything is written."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import Any

from bot.mechanisms.tracing import add_reference

_UNUSED = ("rich", "greenlet")
"""Modules that structlog imports if present, for tracebacks and contexts that are not used here: 10 MB and a twentieth
of a start (measured).
"""

if {"structlog", *_UNUSED}.isdisjoint(sys.modules):
    for name in _UNUSED:
        sys.modules[name] = None  # type: ignore[assignment]  # its import fails, which structlog expects
    import structlog

    for name in _UNUSED:
        del sys.modules[name]
else:
    import structlog

HIDDEN = "***"

_SECRET_KEY = re.compile(r"secret|token|ticket|password|webhook|authorization|api_?key|session|price|amount", re.I)
_SECRET_TEXT = re.compile(
    r"((?:access_token|ticket|session|sign|secret|appsecret|password|authCode)=)[^&\s\"']+"  # in addresses
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password of a database address
    r"|\b(?:whsec_|SEC)[A-Za-z0-9+/=]{8,}",  # signing secrets
    re.I,
)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values under sensitive names, and secrets inside text."""
    for key, value in event.items():
        if _SECRET_KEY.search(key):
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = redact_text(value)
    return event


def redact_text(text: str) -> str:
    """Return the text without the secrets in addresses."""
    return _SECRET_TEXT.sub(lambda match: (match.group(1) or "") + HIDDEN, text)


_TELLING = ("error", "api", "source", "part", "call", "why", "code", "reason", "detail", "command", "outcome", "file")
"""Fields that distinguish problems; others vary between lines about the same problem."""
_VARYING = re.compile(r"\S*\d\S*")
"""Words containing a number, such as ids and seconds."""
_WINDOW = 60.0
"""Seconds in which a problem gets one line."""
_AT_ONCE = {"debug": 20, "info": 20}
"""Lines of one kind per minute; for warnings and errors one."""
_MOST_PROBLEMS = 300
"""Problems distinguished at a time; further ones only by event name."""
_MOST_REFERENCES = 100
"""Card reference numbers listed in the line of a repeated problem, so that each can be found in the log."""


@dataclass(slots=True)
class _Repeated:
    """A problem that has used its lines: since when, how often it recurred silently, and with which references."""

    since: float
    level: str
    fields: Mapping[str, object]
    lines: int = 1
    times: int = 0
    references: list[str] = field(default_factory=list)


class Repetitions:
    """Keeps one problem from filling the log: a warning or an error has one line a minute, other events a few.

    The first ones are logged at once; a line at the end of the minute gives the number of repetitions.
    """

    def __init__(
        self,
        say: Callable[[str, str, Mapping[str, object]], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], None] | None = None,
    ) -> None:
        """``say`` writes a line with level, event and fields; ``later`` calls after that many seconds."""
        self._say = say
        self._clock = clock
        self._later = later or _call_later
        self._lock = Lock()
        self._known: dict[tuple[str, ...], _Repeated] = {}

    def __call__(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Let an event pass, or raise `structlog.DropEvent`."""
        if "repeated" not in event and self.is_repeated(str(event.get("level", method)), event):
            raise structlog.DropEvent
        return event

    def is_repeated(self, level: str, event: Mapping[str, object]) -> bool:
        """Return whether the problem has used its lines; it is then counted."""
        name = str(event.get("event", ""))
        with self._lock:
            key = (level, name, *(_alike(event.get(each)) for each in _TELLING))
            if key not in self._known and len(self._known) >= _MOST_PROBLEMS:
                key = (level, name)
            known = self._known.get(key)
            if known is None:
                if len(self._known) >= 2 * _MOST_PROBLEMS:
                    return True  # hundreds of kinds of problems within a minute: this is one more
                if not self._known:
                    self._later(_WINDOW, self._tell)
                fields = {each: event[each] for each in ("event", *_TELLING) if each in event}
                self._known[key] = _Repeated(self._clock(), level, fields)
                return False
            known.lines += 1
            if known.lines <= _AT_ONCE.get(level, 1):
                return False
            known.times += 1
            if "reference" in event and len(known.references) < _MOST_REFERENCES:
                known.references.append(str(event["reference"]))
            return True

    def _tell(self) -> None:
        """Log the repetitions of the past minute, and reset them."""
        with self._lock:
            over = [key for key, known in self._known.items() if self._clock() - known.since >= _WINDOW]
            told = [self._known.pop(key) for key in over]
            if self._known:
                self._later(_WINDOW / 4, self._tell)
        for known in told:
            if known.times:
                more = {"references": known.references} if known.references else {}
                self._say(known.level, str(known.fields["event"]), {**known.fields, **more, "repeated": known.times})


def _alike(value: object) -> str:
    """Return a value in the form common to all lines about the same problem."""
    return _VARYING.sub("#", value) if isinstance(value, str) else "" if value is None else type(value).__name__


def _call_later(seconds: float, call: Callable[[], None]) -> None:
    timer = Timer(seconds, call)
    timer.daemon = True
    timer.start()


def configure_logging(level: str, form: str) -> None:
    """Send structlog and the standard library's log through one chain to standard error."""
    repetitions = Repetitions(_say_again)
    shared: list[structlog.typing.Processor] = [
        add_reference,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info if form == "json" else _keep_exception,
        redact,
    ]
    last: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            # Without local variables: they contain data that must not be logged.
            exception_formatter=structlog.dev.plain_traceback,
        )
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared[:2], repetitions, *shared[2:], last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=last))
    handler.addFilter(lambda record: not repetitions.is_repeated(record.levelname.lower(), {"event": str(record.msg)}))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries log only problems; the SDK writes tickets at INFO
    # (docs: platform/dingtalk/sdk.md#tickets-in-logs).
    root.setLevel(max(number, logging.WARNING))


def _say_again(level: str, event: str, fields: Mapping[str, object]) -> None:
    structlog.get_logger().log(
        logging.getLevelNamesMapping()[level.upper()],
        event,
        **{name: fields[name] for name in fields if name != "event"},
    )


def _keep_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return event
