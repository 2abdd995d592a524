"""The sending half of the stream gateway: routing of frames, pending ACKs, redelivery.

It uses no HTTP and no WebSocket: a connection is anything with a queue (`SimConnection`), so all rules can be tested
alone.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import orjson

from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.faults import SimFaults
from bot.kit.simulator.timeline import Timeline

MESSAGES = "/v1.0/im/bot/messages/get"
CARD_CALLBACK = "/v1.0/card/instances/callback"
EVENT = "EVENT"
CALLBACK = "CALLBACK"
SYSTEM = "SYSTEM"

_BACKLOG = 10_000
_OUTGOING = 10_000
_END_OF_QUEUE = object()
"""End mark in an outgoing queue: the connection ends here."""


@dataclass(slots=True, eq=False)
class SimConnection:
    """One WebSocket from the gateway's side. ``half_open``: nothing gets through any more, but neither side knows."""

    id: str
    subscriptions: frozenset[tuple[str, str]]
    user_agent: str = ""
    outgoing: asyncio.Queue[Any] = field(default_factory=lambda: asyncio.Queue(_OUTGOING))
    draining: bool = False
    half_open: bool = False
    pings: dict[str, str] = field(default_factory=dict)
    """messageId → opaque of unanswered pings."""
    abort: Callable[[], None] = lambda: None
    """Cut the TCP connection without closing the WebSocket."""

    def send(self, text: str) -> None:
        """Queue a frame; a client ten thousand frames behind is cut off."""
        if self.half_open:
            return
        try:
            self.outgoing.put_nowait(text)
        except asyncio.QueueFull:
            self.abort()

    def finish(self) -> None:
        """Close the WebSocket properly after sending the queue."""
        if self.outgoing.full():
            self.abort()
        else:
            self.outgoing.put_nowait(_END_OF_QUEUE)

    @staticmethod
    def is_end_of_queue(entry: Any) -> bool:
        """Return whether an entry of the outgoing queue is the end mark."""
        return entry is _END_OF_QUEUE


@dataclass(slots=True, eq=False, kw_only=True)
class SimPush:
    """A frame that requires an ACK."""

    type: str
    topic: str
    data: str
    headers: dict[str, str] = field(default_factory=dict)
    redeliver: bool = False
    """Sent again until it is acknowledged (bot messages and events, not clicks)."""
    tries: int = 0
    message_id: str = ""
    sent_at: float = 0.0
    done: asyncio.Future[Any] | None = None
    """For a click: resolved with the decoded ``data`` of the ACK, or with None for a refusal."""
    on_late: Callable[[Any], None] | None = None
    """For a click: called with an answer that arrives after ``done`` was given up."""
    answer_delay_ms: int = 0
    """For a click: the delay of the answer on its way (fault `slow_toast`)."""


class PushDispatcher:
    """Connections, frames in flight, and frames waiting for a connection."""

    def __init__(self, config: SimulatorConfig, faults: SimFaults, timeline: Timeline, rng: random.Random) -> None:
        self._config, self._faults, self._timeline, self._rng = config, faults, timeline, rng
        self._app_id = f"{rng.getrandbits(64):016x}"
        self.connections: dict[str, SimConnection] = {}
        self._routes: dict[tuple[str, str], list[SimConnection]] = {}
        self._waiting: dict[str, tuple[float, SimPush]] = {}
        self._backlog: deque[SimPush] = deque(maxlen=_BACKLOG)
        self._sweeper: asyncio.TimerHandle | None = None
        self._count = 0
        self.undelivered = 0
        """Messages given up after the last redelivery, or dropped."""
        self.on_connections: Callable[[], None] | None = None
        self.on_ack: Callable[[SimPush], None] | None = None

    # connections

    def add_connection(self, connection: SimConnection) -> None:
        """Add a connection for frames; it first gets the waiting frames."""
        self.connections[connection.id] = connection
        for subscription in connection.subscriptions:
            self._routes.setdefault(subscription, []).append(connection)
        self._note_connections()
        for _ in range(len(self._backlog)):
            self.push(self._backlog.popleft())

    def stop_routing_to(self, connection: SimConnection) -> None:
        """Route no new frames to this connection, which stays open."""
        connection.draining = True
        for route in self._routes.values():
            if connection in route:
                route.remove(connection)

    def remove_connection(self, connection: SimConnection) -> None:
        """Remove a connection. Its unacknowledged frames wait for redelivery."""
        self.stop_routing_to(connection)
        if self.connections.pop(connection.id, None) is not None:
            self._note_connections()

    def disconnect(self, connection: SimConnection, reason: str = "connection is expired") -> None:
        """Ask the client to disconnect; after `hard_close` seconds the connection is cut."""
        self.stop_routing_to(connection)
        message_id, text = self.frame(connection, SYSTEM, "disconnect", orjson.dumps({"reason": reason}).decode())
        connection.send(text)
        self._timeline.record("push", "disconnect", summary=reason, detail={"messageId": message_id})
        asyncio.get_running_loop().call_later(self._config.hard_close, connection.abort)

    def any_connection(self) -> SimConnection | None:
        """Return a live connection, whatever its subscriptions."""
        alive = [c for c in self.connections.values() if not c.draining]
        return self._rng.choice(alive) if alive else None

    # frames

    def frame(
        self, connection: SimConnection, type_: str, topic: str, data: str, headers: dict[str, str] | None = None
    ) -> tuple[str, str]:
        """Return the messageId and the text of a new frame (``data`` and ``time`` are strings).

        Docs: platform/dingtalk/stream.md#frames
        """
        self._count += 1
        now = self._milliseconds()
        message_id = f"{self._app_id[:8]}_5d3_{now:x}_{self._count:x}"
        frame = {
            "specVersion": "1.0",
            "type": type_,
            "headers": {
                "appId": self._app_id,
                "connectionId": connection.id,
                "contentType": "application/json",
                "messageId": message_id,
                "time": str(now),
                "topic": topic,
                **(headers or {}),
            },
            "data": data,
        }
        return message_id, orjson.dumps(frame).decode()

    def push(self, push: SimPush) -> bool:
        """Send to one random live subscriber; without one, queue or drop the frame and return False."""
        route = self._routes.get((push.type, push.topic if push.type != EVENT else "*"))
        if not route:
            self._set_aside(push)
            return False
        connection = route[0] if len(route) == 1 else self._rng.choice(route)
        if self._faults.active and self._faults.trigger("half_open"):
            self._go_silent(connection)
        lost = bool(self._faults.active) and self._faults.trigger("reset") is not None
        self.send(connection, push, lost=lost)
        if lost:
            self._timeline.note("reset", "connection cut instead of a push", {"messageId": push.message_id})
            self.stop_routing_to(connection)
            connection.abort()
        elif self._faults.active:
            if push.redeliver and self._faults.trigger("duplicate_push"):
                self._timeline.note("duplicate_push", "the same message once more", {"messageId": push.message_id})
                twin = SimPush(type=push.type, topic=push.topic, data=push.data, headers=push.headers)
                self.send(connection, twin)
            if self._faults.trigger("disconnect"):
                self.disconnect(connection)
        return True

    def send(self, connection: SimConnection, push: SimPush, *, lost: bool = False) -> None:
        """Send to this connection and wait for the ACK."""
        push.message_id, text = self.frame(connection, push.type, push.topic, push.data, push.headers)
        push.tries += 1
        push.sent_at = perf_counter()
        self._waiting[push.message_id] = (push.sent_at + self._config.redelivery_delay, push)
        if self._sweeper is None:
            self._arm()
        if not lost:
            connection.send(text)
        self._timeline.record(
            "push",
            push.topic,
            summary=f"{push.type} {push.message_id}" if push.tries == 1 else f"again, try {push.tries}",
            detail={"messageId": push.message_id, "connectionId": connection.id, "data": push.data},
        )

    # acknowledgements

    def receive(self, connection: SimConnection, text: str) -> None:
        """Handle a frame from the client: an ACK, well-formed or not (docs: platform/dingtalk/stream.md#acks)."""
        if connection.half_open:
            return
        try:
            ack = orjson.loads(text)
            code, message_id = ack["code"], ack["headers"]["messageId"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self._malformed(text, "no code or no headers.messageId")
            return
        data = ack.get("data")
        try:
            decoded = orjson.loads(data) if data else None
        except (orjson.JSONDecodeError, TypeError):
            self._malformed(text, "data is not a JSON string")
            return
        if message_id in connection.pings:
            self._echo(connection, message_id, code, decoded, text)
            return
        entry = self._waiting.get(message_id)
        if entry is None:
            self._timeline.record("ack", "", status=code, summary="for nothing that waits", detail=ack)
            return
        self._acknowledge(entry[1], code, decoded)

    @property
    def in_flight(self) -> int:
        """Return the number of frames waiting for their ACK or for a connection."""
        return len(self._waiting) + len(self._backlog)

    def clear(self) -> None:
        """Drop the frames in flight; connections stay."""
        self._waiting.clear()
        self._backlog.clear()
        self.undelivered = 0

    def close(self) -> None:
        """Stop the timer."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None

    def _acknowledge(self, push: SimPush, code: Any, data: Any) -> None:
        ms = (perf_counter() - push.sent_at) * 1000
        later = push.type == EVENT and isinstance(data, dict) and data.get("status") == "LATER"
        self._timeline.record(
            "ack",
            push.topic,
            status=code if isinstance(code, int) else 0,
            ms=ms,
            summary="later" if later else push.message_id,
            detail={"messageId": push.message_id, "data": data},
        )
        # An answer of 500 means that the handler failed; whether the message is then sent again is undocumented.
        if push.redeliver and (later or (code == 500 and self._config.repeats_failed)):
            return
        del self._waiting[push.message_id]
        if push.done is not None:
            self._answer_click(push, data if code == 200 else None)
        if self.on_ack is not None:
            self.on_ack(push)

    def _answer_click(self, push: SimPush, data: Any) -> None:
        if push.answer_delay_ms:
            hold, push.answer_delay_ms = push.answer_delay_ms / 1000, 0
            asyncio.get_running_loop().call_later(hold, self._answer_click, push, data)
        elif push.done is not None and not push.done.done():
            push.done.set_result(data)
        elif push.on_late is not None:
            push.on_late(data)

    def _echo(self, connection: SimConnection, message_id: str, code: Any, data: Any, text: str) -> None:
        if code == 200 and isinstance(data, dict) and data.get("opaque") == connection.pings[message_id]:
            connection.pings.clear()
        else:
            self._malformed(text, "a ping must be answered 200 with the same opaque")

    def _malformed(self, text: str, why: str) -> None:
        self._timeline.record("ack", "malformed", status=400, summary=why, detail={"text": text[:2000]})

    # redelivery

    def _arm(self) -> None:
        first = next(iter(self._waiting.values()), None)
        if first is not None:
            loop = asyncio.get_running_loop()
            self._sweeper = loop.call_later(max(first[0] - perf_counter(), 0), self._sweep)

    def _sweep(self) -> None:
        """Redeliver frames that waited too long. All wait equally long, so the oldest come first."""
        self._sweeper = None
        now = perf_counter()
        due = []
        for deadline, push in self._waiting.values():
            if deadline > now:
                break
            due.append(push)
        for push in due:
            del self._waiting[push.message_id]
            self._go_again(push)
        self._arm()

    def _go_again(self, push: SimPush) -> None:
        if not push.redeliver or push.done is not None:
            return
        if push.tries > self._config.redeliveries or self._faults.trigger("no_redelivery"):
            self.undelivered += 1
            self._timeline.note("undelivered", f"given up after {push.tries} tries", {"data": push.data})
            return
        self.push(push)

    def _set_aside(self, push: SimPush) -> None:
        if not push.redeliver:
            return
        if self._faults.trigger("drop_offline"):
            self.undelivered += 1
            self._timeline.note("drop_offline", "no connection: message dropped", {"data": push.data})
        else:
            self.undelivered += len(self._backlog) == _BACKLOG
            self._backlog.append(push)
            self._timeline.note("offline", "no connection: message waits", {"data": push.data})

    def _go_silent(self, connection: SimConnection) -> None:
        connection.half_open = True
        self._timeline.note("half_open", "silent from now on", {"connectionId": connection.id})

    def _note_connections(self) -> None:
        if self.on_connections is not None:
            self.on_connections()

    def _milliseconds(self) -> int:
        return int(self._config.now().timestamp() * 1000)
