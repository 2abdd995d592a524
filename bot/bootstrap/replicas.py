"""This process as one of the replicas on a PostgreSQL database: it joins the others, beats, and leads or follows."""

from __future__ import annotations

import asyncio
import hmac
import os
import socket
from collections.abc import Callable, Mapping, Set
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from time import monotonic as system_monotonic
from typing import Any, Final

import orjson
import structlog

from bot.mechanisms.agreed_clock import AgreedClock
from bot.mechanisms.background import BackgroundTasks, Runs
from bot.mechanisms.health import REPLICA, PartHealth, PartStatus, degraded, down
from bot.mechanisms.leadership import Leadership
from bot.mechanisms.metrics import Metrics
from bot.mechanisms.version import installed_version
from bot.settings import Settings
from bot.store.database import Database
from bot.store.errors import DatabaseInUse, StoreUnavailable
from bot.store.replicas import BEAT_EVERY, LEASE, Member, Pulse, StoredReplicas
from bot.words.errors import ConfigurationError
from bot.words.phrase import Words, phrase

log = structlog.get_logger(__name__)

_OWN_SECTIONS: Final = frozenset({"data_dir", "data_key", "data_key_file", "database_url", "http", "log", "queues"})
"""Settings in which replicas may differ."""

_SHORT = 4
"""Of an id: enough to tell apart replicas of one name, as before and after the restart of a container."""

_GOODBYE = 1.0
"""Seconds that a stop waits for the database."""


class Replica:
    """This process among the replicas; `run` must be running."""

    def __init__(
        self,
        store: StoredReplicas,
        me: Member,
        *,
        wanted: int,
        metrics: Metrics,
        clock: AgreedClock,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        """``wanted`` replicas are expected; with one, any other process on the database is refused.

        ``clock`` is kept in step with the database's, for work that several replicas do by turns.
        """
        self._store = store
        self._me = me
        self._wanted = wanted
        self._metrics = metrics
        self._clock = clock
        self._monotonic = monotonic
        self._leads = False
        self._leads_until = 0.0
        self._retires = False
        self._told = ""
        self._pulse: Pulse | None = None
        self.leadership = Leadership()
        self.rules: Callable[[], Mapping[str, str]] = dict
        """Returns the digests of the rules in force, by file; set when they are read."""
        self.others_ended: Callable[[], None] = lambda: None
        """Called when another replica has ended: what it would have done is left to this one."""

    @property
    def is_one_of_several(self) -> bool:
        """Whether others may work beside it."""
        return self._wanted > 1

    @property
    def id(self) -> str:
        """The replica's id, which no other has, not even after a restart."""
        return self._me.id

    async def join(self) -> None:
        """Join the replicas that live.

        Raises `DatabaseInUse` if there must be one alone, `ConfigurationError` if settings that must agree differ, and
        `StoreUnavailable`.
        """
        if self._wanted == 1:
            await self._store.free_if_gone()
        try:
            self._check(await self._beat_until_there_is_room())
        except ConfigurationError:
            await self.leave()
            raise
        if self._wanted == 1:
            await self._store.forget_others(self._me)

    async def _beat_until_there_is_room(self) -> Pulse:
        """Beat until no more replicas live than are wanted. One that was killed seems to live until its lease ends.

        Raises `ConfigurationError` if it takes longer than that.
        """
        until = self._monotonic() + LEASE.total_seconds() + BEAT_EVERY
        while True:
            pulse = await self._beat()
            earlier = [member for member in pulse.members if member.is_alive and member.id != self.id]
            if self._wanted == 1 or len(earlier) < self._wanted:
                return pulse
            if self._monotonic() >= until:
                names = ", ".join(str(member.name) for member in earlier)
                raise ConfigurationError(
                    f"{len(earlier)} replicas work on the database already ({names}), and replicas = {self._wanted}; "
                    "stop one, or give all of them a higher number"
                )
            await asyncio.sleep(BEAT_EVERY)

    def _check(self, pulse: Pulse) -> None:
        others = [other for other in pulse.members if other.is_alive and other.id != self.id]
        leader = next((other for other in others if other.id == pulse.leader), None)
        if self._wanted == 1 and not self.leadership.term:
            who = leader.name if leader else "it is just starting"
            raise DatabaseInUse(f"another bot uses the database ({who}); stop it first")
        if not others:
            return
        other = leader or others[0]
        unlike = sorted(name for name in _all_names(other, self._me) if not _agree(name, other, self._me))
        if unlike:
            raise ConfigurationError(
                f"the settings differ from those of another bot on the same database ({other.name}): "
                f"{', '.join(unlike)}; give all of them the same"
            )

    async def run(self) -> None:
        """Beat until cancelled. Raises `DatabaseInUse` when a process that must be alone is not."""
        while True:
            await asyncio.sleep(BEAT_EVERY)
            await self.beat()

    async def beat(self) -> None:
        """Beat once; the lead ends in time if the database does not answer."""
        try:
            await self._beat()
        except StoreUnavailable as error:
            if error.detail != self._told:
                log.warning("replica.not_told", error=error.detail)
                self._told = error.detail
            if self._wanted > 1 and self._monotonic() >= self._leads_until:
                self._follow()
            return
        self._told = ""
        if self._wanted == 1 and not self.leadership.term and not self._retires:
            raise DatabaseInUse("another bot has taken the database over")

    async def _beat(self) -> Pulse:
        began, asked = self._monotonic(), self._clock.own()
        pulse = await self._store.beat(replace(self._me, rules=self.rules()), lead=not self._retires)
        before, self._pulse = self._pulse, pulse
        if before is not None and _living(before) - _living(pulse):
            self.others_ended()
        if self.is_one_of_several:
            self._clock.agree(pulse.at, asked)
        if pulse.fence is None or self._retires:
            self._follow()
        else:
            self._leads_until = began + LEASE.total_seconds()
            if not self._leads:
                log.info("replica.leads", replica=self.id, fence=pulse.fence)
            self._leads = True
            self.leadership.begin(pulse.fence)
        self._metrics.replicas.set(sum(member.is_alive for member in pulse.members))
        self._metrics.replica_leads.set(self.leadership.term is not None)
        return pulse

    def _follow(self) -> None:
        if self._leads:
            log.info("replica.follows", replica=self.id)
        self._leads = False
        self.leadership.end()
        self._metrics.replica_leads.set(0)

    async def retire(self) -> None:
        """Lead no more, and let another replica lead at once; this one lives on until `leave`."""
        self._retires = True
        self._follow()
        with suppress(StoreUnavailable, TimeoutError):  # then the lease ends by itself
            async with asyncio.timeout(_GOODBYE):
                await self._store.release(self._me)

    async def leave(self) -> None:
        """Leave the replicas; what this one has not finished is taken over."""
        await self.retire()
        with suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_GOODBYE):
                await self._store.leave(self._me)

    def health(self) -> Mapping[str, PartHealth]:
        """Return who leads and who lives, and whether this one has the leader's rules."""
        if self._pulse is None or self._wanted == 1:
            return {}
        living = [member for member in self._pulse.members if member.is_alive]
        leader = next((member for member in living if member.id == self._pulse.leader), None)
        return {
            "replicas": self._company(living, leader),
            "rules of the lead": self._likeness(leader),
            **{
                f"{REPLICA}{member.host}/{member.process} ({member.id[:_SHORT]})": _presence(member, self._pulse)
                for member in living
            },
        }

    def _company(self, living: list[Member], leader: Member | None) -> PartHealth:
        count = phrase("%(living)d of %(wanted)d replicas live", living=len(living), wanted=self._wanted)
        if leader is None:
            return degraded(phrase("%(count)s, none leads", count=count))
        if leader.id == self.id:
            words = phrase("%(count)s, this one leads", count=count)
        else:
            words = phrase("%(count)s, %(name)s leads", count=count, name=leader.name)
        return PartHealth(PartStatus.OK if len(living) >= self._wanted else PartStatus.DEGRADED, words)

    def _likeness(self, leader: Member | None) -> PartHealth:
        mine = self.rules()
        if leader is None or leader.id == self.id or not leader.rules or not mine or leader.rules == mine:
            return down("")
        names = sorted(name for name in {*mine, *leader.rules} if mine.get(name) != leader.rules.get(name))
        why: Words = phrase(
            "the rules differ from those of the replica that leads (%(name)s): %(rules)s",
            name=leader.name,
            rules=", ".join(names),
        )
        return down(why)


def _living(pulse: Pulse) -> Set[str]:
    return {member.id for member in pulse.members if member.is_alive}


def _presence(member: Member, pulse: Pulse) -> PartHealth:
    leads = phrase("leads") if member.id == pulse.leader else phrase("follows")
    heard = pulse.at - member.beat_at if member.beat_at is not None else timedelta(0)
    words = phrase(
        "%(role)s, version %(version)s, since %(since)s, heard of %(seconds)d s ago",
        role=leads,
        version=member.version,
        since=f"{member.joined_at:%Y-%m-%d %H:%M} UTC",
        seconds=round(heard.total_seconds()),
    )
    return PartHealth(PartStatus.OK, words)


async def join_replicas(
    stack: AsyncExitStack,
    background: BackgroundTasks,
    settings: Settings,
    database: Database,
    metrics: Metrics,
    clock: AgreedClock,
) -> Replica | None:
    """Join the replicas until ``stack`` ends; None on SQLite, where a process is alone.

    Raises `ConfigurationError` if this process may not join.
    """
    if database.dialect == "sqlite":
        return None
    store = StoredReplicas(settings.database, process=database.process)
    stack.push_async_callback(store.close)
    me = Member(
        id=database.process,
        host=socket.gethostname(),
        process=os.getpid(),
        version=installed_version(),
        settings=digest_settings(settings),
        rules={},
    )
    replica = Replica(store, me, wanted=settings.replicas, metrics=metrics, clock=clock)
    background.leadership = replica.leadership
    stack.push_async_callback(replica.leave)
    try:
        await replica.join()
    except StoreUnavailable as error:
        raise ConfigurationError(f"the database cannot be used ({error.detail}); see `dingerp doctor`") from error
    log.info("replica.joined", replica=replica.id, leads=replica.leadership.term is not None)
    await stack.enter_async_context(background.running(replica.run, "replica", Runs.EVERYWHERE))
    return replica


def digest_settings(settings: Settings) -> Mapping[str, str]:
    """Return the digests of the sections that must agree; without the app's secret they tell nothing of the values."""
    key = settings.dingtalk.client_secret.get_secret_value().encode()
    chosen = settings.model_dump(exclude_defaults=True, exclude=set(_OWN_SECTIONS)) | {
        "replicas": settings.replicas > 1
    }
    return {
        name: hmac.new(key, orjson.dumps(value, option=orjson.OPT_SORT_KEYS), sha256).hexdigest()
        for name, value in _plain(chosen).items()
    }


def _plain(value: object) -> Any:
    """Return a value in a form with one order; places of files differ from machine to machine."""
    match value:
        case Mapping():
            parts = {str(name): _plain(part) for name, part in value.items() if not isinstance(part, Path)}
            return {name: part for name, part in parts.items() if part != {}}
        case Set():
            return sorted(map(str, value))
        case list() | tuple():
            return [_plain(part) for part in value]
        case _:
            return str(value)


def _all_names(one: Member, other: Member) -> Set[str]:
    return {*one.settings, *other.settings}


def _agree(name: str, one: Member, other: Member) -> bool:
    return one.settings.get(name) == other.settings.get(name)
