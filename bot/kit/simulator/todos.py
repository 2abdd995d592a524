"""To-dos (待办): on people's lists by the app, and ticked off by them.

Docs: platform/dingtalk/todos.md
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any


class SimTodoError(Exception):
    """Carries DingTalk's error text, for example ``task not exist``."""


@dataclass(slots=True, kw_only=True)
class SimTodo:
    """One to-do; people are unionIds. ``done`` are the executors who have completed it."""

    id: str
    source_id: str
    subject: str
    creator: str
    executors: list[str]
    detail_url: dict[str, str]
    due_ms: int | None = None
    done: set[str] = field(default_factory=set)

    @property
    def is_done(self) -> bool:
        """Whether all executors have completed it."""
        return self.done.issuperset(self.executors)

    def render(self) -> dict[str, Any]:
        """Return the API's answer."""
        return {
            "id": self.id,
            "sourceId": self.source_id,
            "subject": self.subject,
            "creatorId": self.creator,
            "executorIds": list(self.executors),
            "detailUrl": self.detail_url,
            "dueTime": self.due_ms,
            "done": self.is_done,
        }


class SimTodos:
    """All to-dos of the organisation. ``changed`` is called after each change."""

    def __init__(self, rng: random.Random, changed: Callable[[], None]) -> None:
        self._rng = rng
        self._changed = changed
        self._todos: dict[str, SimTodo] = {}

    def __iter__(self) -> Iterator[SimTodo]:
        return iter(self._todos.values())

    def of(self, union_id: str) -> list[SimTodo]:
        """Return the to-dos on a person's list, newest first."""
        return [todo for todo in reversed(self._todos.values()) if union_id in todo.executors]

    def create(
        self,
        *,
        source_id: str,
        subject: str,
        creator: str,
        executors: Iterable[str],
        detail_url: dict[str, str],
        due_ms: int | None,
    ) -> SimTodo:
        """Add a to-do; each source id has at most one."""
        if source_id and self.by_source(source_id) is not None:
            raise SimTodoError(f"task existed sourceId is {source_id}")
        todo = SimTodo(
            id=f"task{self._rng.getrandbits(128):032x}",
            source_id=source_id,
            subject=subject,
            creator=creator,
            executors=list(executors),
            detail_url=detail_url,
            due_ms=due_ms,
        )
        self._todos[todo.id] = todo
        self._changed()
        return todo

    def by_source(self, source_id: str) -> SimTodo | None:
        """Return the to-do with the app's own id."""
        return next((todo for todo in self if todo.source_id == source_id), None)

    def find(self, task_id: str) -> SimTodo:
        """Return a to-do or raise `SimTodoError`."""
        todo = self._todos.get(task_id)
        if todo is None:
            raise SimTodoError("task not exist")
        return todo

    def tick(self, task_id: str, states: dict[str, bool]) -> None:
        """Mark it completed for some executors, and not for others."""
        todo = self.find(task_id)
        todo.done |= {union_id for union_id, done in states.items() if done}
        todo.done -= {union_id for union_id, done in states.items() if not done}
        self._changed()

    def remove(self, task_id: str) -> None:
        """Remove a to-do from all lists."""
        del self._todos[self.find(task_id).id]
        self._changed()

    def clear(self) -> None:
        """Remove all."""
        self._todos.clear()
        self._changed()
