"""To-dos on people's lists: created, completed for some or all, deleted; and the chat with the bot they open.

Docs: platform/dingtalk/todos.md
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from bot.chat.message import Message
from bot.dingtalk.apis import TODO_CREATE, TODO_DELETE, TODO_EXECUTORS, TODO_FIND, TODO_UPDATE, ApiCall
from bot.dingtalk.errors import DingTalkOutcomeUnknown, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import items, text
from bot.dingtalk.send_failures import translating_errors
from bot.outbox.ports import MarkerRequest, MarkerState, SendFailed, SendFailureKind

_EXISTS = "task exist"
"""Part of DingTalk's message for a source id that already has a to-do; any wrong parameter has the same code."""
_MISSING = "task not exist"
_MAX_SUBJECT = 200
"""Characters; DingTalk allows five times as many, but a list shows one line."""
_NORMAL = 20
_SILENT = {"dingNotify": "0", "sendTodoApn": "false", "sendAssistantChat": "false"}
"""The card has already notified people."""

UnionIdOf = Callable[[str], Awaitable[str]]
"""Returns a person's unionId by their userId, empty for nobody in the organisation; raises a `DingTalkError`."""


class TodoApi:
    """The calls, each on behalf of the person who owns the to-do; people are unionIds."""

    def __init__(self, api: OpenApi, base: str) -> None:
        """``base`` is the address of the new API."""
        self._api = api
        self._base = base.rstrip("/")

    async def create(
        self, owner: str, source_id: str, *, subject: str, executors: Sequence[str], url: str, due_at: datetime | None
    ) -> str:
        """Create a to-do and return its id; a repeated ``source_id`` returns the existing one's id."""
        body: dict[str, Any] = {
            "sourceId": source_id,
            "subject": subject[:_MAX_SUBJECT],
            "creatorId": owner,
            "executorIds": list(executors),
            "detailUrl": {"appUrl": url, "pcUrl": url},
            "isOnlyShowExecutor": True,
            "priority": _NORMAL,
            "notifyConfigs": _SILENT,
        }
        if due_at is not None:
            body["dueTime"] = int(due_at.timestamp() * 1000)
        try:
            answer = await self._call(TODO_CREATE, owner, body=body)
        except DingTalkRefused as refusal:
            if _EXISTS not in refusal.detail:
                raise
            # An earlier attempt got through and only its answer was lost.
            task_id = await self.find(owner, source_id)
        else:
            task_id = text(answer.get("id"))
        if not task_id:
            raise DingTalkOutcomeUnknown(f"{TODO_CREATE.name}: an answer without an id")
        return task_id

    async def find(self, owner: str, source_id: str) -> str:
        """Return the id of the to-do with a source id, empty for none."""
        try:
            answer = await self._call(TODO_FIND, owner, "sources", source_id)
        except DingTalkRefused as refusal:
            if _MISSING in refusal.detail:
                return ""
            raise
        return text(answer.get("id"))

    async def complete(self, owner: str, task_id: str) -> None:
        """Complete it for all; one that people deleted stays deleted."""
        await self._change(TODO_UPDATE, owner, task_id, body={"done": True})

    async def set_done(self, owner: str, task_id: str, states: Mapping[str, bool]) -> None:
        """Mark it done, or not, for some of its executors."""
        listed = [{"id": union_id, "isDone": done} for union_id, done in states.items()]
        await self._change(TODO_EXECUTORS, owner, task_id, "executorStatus", body={"executorStatusList": listed})

    async def delete(self, owner: str, task_id: str) -> None:
        """Remove it from all lists."""
        await self._change(TODO_DELETE, owner, task_id)

    async def _change(
        self, api: ApiCall, owner: str, task_id: str, *more: str, body: Mapping[str, Any] | None = None
    ) -> None:
        try:
            await self._call(api, owner, task_id, *more, body=body)
        except DingTalkRefused as refusal:
            if _MISSING not in refusal.detail:
                raise

    async def _call(
        self, api: ApiCall, owner: str, *parts: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        path = "/".join(quote(part, safe="") for part in (owner, "tasks", *parts))
        address = f"{self._base}/v1.0/todo/users/{path}?operatorId={quote(owner, safe='')}"
        return await self._api.call(api, body, address=address)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StandingTodo:
    """An existing to-do: its id, its executors by userId, the creator first, and those for whom it is done."""

    task: str
    people: tuple[str, ...]
    done: frozenset[str] = frozenset()
    ended: bool = False
    """Whether it is completed for all, or deleted."""

    def store(self) -> str:
        """Return its serialized form for `_read_standing`."""
        return orjson.dumps(
            {
                "task": self.task,
                "people": self.people,
                "done": sorted(self.done),
                "ended": self.ended,
            }
        ).decode()


def _read_standing(stored: str) -> _StandingTodo | None:
    if not stored:
        return None
    found = orjson.loads(stored)
    return _StandingTodo(
        task=text(found.get("task")),
        people=tuple(map(text, items(found.get("people")))),
        done=frozenset(map(text, items(found.get("done")))),
        ended=bool(found.get("ended")),
    )


class TodoKeeper:
    """Keeps one to-do for all whose turn it is."""

    def __init__(self, todos: TodoApi, union_id_of: UnionIdOf, link: Callable[[], str]) -> None:
        """``link`` returns the address that a tap on a to-do opens."""
        self._todos = todos
        self._union_id_of = union_id_of
        self._link = link

    async def keep(self, asked: MarkerRequest) -> str:
        """Create, complete or delete it; no call if it is in the wanted state."""
        with translating_errors():
            standing = _read_standing(asked.standing)
            if standing is None:
                standing = await self._begin(asked)
            if standing is None:
                return ""
            return (await self._follow(standing, asked)).store()

    async def _begin(self, asked: MarkerRequest) -> _StandingTodo | None:
        """Return the new to-do; None if none is needed."""
        marker = asked.marker
        waited = [user_id for user_id in marker.people if user_id not in marker.done]
        is_over = marker.state is not MarkerState.OPEN or not waited
        if is_over and not asked.doubtful:
            return None
        known = await self._known(marker.people if is_over else waited)
        if not known:
            if is_over:
                return None
            raise SendFailed(SendFailureKind.HOPELESS, "DingTalk's directory knows none of these people")
        owner = next(iter(known.values()))
        if is_over:
            task = await self._todos.find(owner, asked.track_id)
        else:
            task = await self._todos.create(
                owner,
                asked.track_id,
                subject=asked.card.title,
                executors=list(known.values()),
                url=self._link(),
                due_at=marker.due_at,
            )
        return _StandingTodo(task=task, people=tuple(known)) if task else None

    async def _follow(self, standing: _StandingTodo, asked: MarkerRequest) -> _StandingTodo:
        """Bring a to-do into the wanted state, with one call at most."""
        marker, people = asked.marker, frozenset(standing.people)
        done = people if marker.state is MarkerState.DONE else marker.done & people
        if standing.ended and done == standing.done:
            return standing
        is_gone = marker.state is MarkerState.GONE
        if (standing.ended and is_gone) or (done == standing.done and not is_gone):
            return standing
        known = await self._known(standing.people)
        changed = {known[user_id]: user_id in done for user_id in done ^ standing.done if user_id in known}
        if known:
            # The creator, or the remaining people: nobody sees the lists of people who left.
            owner = next(iter(known.values()))
            if is_gone:
                await self._todos.delete(owner, standing.task)
            elif done == people:
                await self._todos.complete(owner, standing.task)
            elif changed:
                await self._todos.set_done(owner, standing.task, changed)
        return replace(standing, ended=True) if is_gone else replace(standing, done=done, ended=done == people)

    async def _known(self, people: Iterable[str]) -> dict[str, str]:
        """Return the unionIds of people known to the directory, by userId."""
        found = {user_id: await self._union_id_of(user_id) for user_id in people}
        return {user_id: union_id for user_id, union_id in found.items() if union_id}


_ELSEWHERE = "https://www.dingtalk.com/"
"""Used until the bot knows its own id: DingTalk requires an address (docs: platform/dingtalk/todos.md#create)."""


class RobotChat:
    """Learns the bot's own id, found only in messages to it, for the address that opens a chat with it."""

    def __init__(self) -> None:
        self._robot_id = ""

    def note(self, message: Message) -> None:
        """Learn the id in a message."""
        self._robot_id = message.robot_id or self._robot_id

    def link(self) -> str:
        """Return the address (docs: platform/dingtalk/todos.md#create)."""
        if not self._robot_id:
            return _ELSEWHERE
        return f"dingtalk://dingtalkclient/action/jumprobot?dingtalkid={quote(self._robot_id, safe='')}"
