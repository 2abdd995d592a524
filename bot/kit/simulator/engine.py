"""The simulated DingTalk without its HTTP API: people's actions, the bot's effects, and waiting for either."""

from __future__ import annotations

import asyncio
import base64
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, TypeVar

import orjson
from aiohttp import web

from bot.kit.simulator.approvals import SimApprovals
from bot.kit.simulator.card_templates import InvalidFieldValue
from bot.kit.simulator.cards import CardInstance, CardReadings, CardStore, SimCardView, answer_params
from bot.kit.simulator.chat import ChatItem, SimChat, SimConversation, SimDelivery, SimMessage, displayed_content
from bot.kit.simulator.config import SimulatorConfig
from bot.kit.simulator.credentials import Credentials
from bot.kit.simulator.enterprise import Enterprise, SimPerson, demo_enterprise, enlarged
from bot.kit.simulator.faults import SimFaults
from bot.kit.simulator.flow_control import FREE_EVENTS, CustomRobot, FlowControl
from bot.kit.simulator.live_updates import LiveUpdates
from bot.kit.simulator.media import MediaStore
from bot.kit.simulator.notable import SimTables
from bot.kit.simulator.payloads import (
    GROUP_TYPES,
    bot_message,
    card_callback,
    click_params,
    without_content,
    without_mention,
    without_text,
)
from bot.kit.simulator.push_dispatcher import CALLBACK, CARD_CALLBACK, EVENT, MESSAGES, PushDispatcher, SimPush
from bot.kit.simulator.timeline import Timeline, TimelineEntry
from bot.kit.simulator.todos import SimTodos

Awaited = TypeVar("Awaited")


class SimNotFound(LookupError):
    """The conversation, person, card or button does not exist (or not for this person)."""


class SimForbidden(ValueError):
    """An action that DingTalk's client does not allow."""


@dataclass(frozen=True, slots=True)
class ClickResult:
    """The result shown to the clicker: ``toast`` is the client's failure message."""

    ok: bool
    toast: str | None
    elapsed_ms: float


class SimEngine:
    """One DingTalk with one app, its bot, and one company."""

    def __init__(self, config: SimulatorConfig | None = None) -> None:
        self.config = config = config or SimulatorConfig()
        # Random ids and faults of a simulator; nothing here protects anything.
        self.rng = random.Random(config.seed)  # noqa: S311
        self.enterprise: Enterprise = enlarged(demo_enterprise(), config.further_staff)
        self._first_people = dict(self.enterprise.people)
        self.timeline = Timeline(config.timeline_size, self.milliseconds)
        self.faults = SimFaults(random.Random(config.seed or 0))  # noqa: S311
        self.flow = FlowControl(config)
        self.credentials = Credentials(config, self.rng)
        self.media = MediaStore(self.rng)
        self.cards = CardStore(config.max_cards)
        self.readings = self._first_readings()
        self.chat = SimChat(self.enterprise, config.robot_name, config.history, self.milliseconds)
        self.pushes = PushDispatcher(config, self.faults, self.timeline, self.rng)
        self.approvals = SimApprovals(config, self.enterprise, self.rng, self.emit_event)
        self.todos = SimTodos(self.rng, self._on_todos)
        self.tables = SimTables(self.rng, self._on_tables)
        self.robots = {
            group.webhook_token: CustomRobot(group.webhook_token, group.webhook_secret, group.id, config.webhook_limit)
            for group in self.enterprise.groups
        }
        self.live = LiveUpdates()
        self.closing = asyncio.Event()
        self.bound_url = ""
        self.home_page = ""
        """Where the app's own pages are: what a console calls the home page; empty for an app without any."""
        self._waiters: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self._check_due = False
        self._listen()

    # state

    @property
    def base_url(self) -> str:
        """The origin under which a bot reaches this simulator."""
        return self.config.public_url or self.bound_url

    @property
    def calls(self) -> Counter[str]:
        """Calls per ``METHOD path`` since the start or the last reset."""
        return self.flow.calls

    def milliseconds(self) -> int:
        """The current time in DingTalk's milliseconds."""
        return int(self.config.now().timestamp() * 1000)

    def conversation(self, conversation_id: str) -> SimConversation:
        """Return a conversation; raises `SimNotFound`."""
        found = self.chat.conversations.get(conversation_id)
        if found is None:
            raise SimNotFound(f"no conversation {conversation_id!r}")
        return found

    def direct(self, user_id: str) -> SimConversation:
        """Return the chat of a member with the bot; raises `SimNotFound`."""
        found = self.chat.direct_chat(user_id)
        if found is None:
            raise SimNotFound(f"{user_id!r} has no chat with the bot")
        return found

    def person(self, user_id: str) -> SimPerson:
        """Return a person by simulator id; raises `SimNotFound`."""
        found = self.enterprise.people.get(user_id)
        if found is None:
            raise SimNotFound(f"nobody is called {user_id!r}")
        return found

    def items(self, conversation_id: str, viewer: str = "", after: int = 0) -> list[dict[str, Any]]:
        """Return the items of a conversation visible to ``viewer``, as `ChatItem`s of the control API; the empty viewer
        sees all.
        """
        conversation = self.conversation(conversation_id)
        return [item.render(viewer) for item in self.chat.items(conversation, viewer, after)]

    def cards_for(self, message: SimMessage, viewer: str | None = None) -> list[SimCardView]:
        """Return the cards that followed a message in its conversation, as its sender (or ``viewer``) sees them."""
        who = viewer if viewer is not None else (message.sender.user_id if message.sender is not None else "")
        later = self.chat.items(message.conversation, "", message.seq)
        return [item.card.view_for(who) for item in later if isinstance(item, SimDelivery) and item.visible_to(who)]

    # actions of people

    def say(
        self,
        conversation_id: str,
        sender_id: str,
        text: str = "",
        *,
        msgtype: str = "text",
        at_bot: bool = True,
        content: Mapping[str, Any] | None = None,
        at_user_ids: Sequence[str] = (),
        raw: Mapping[str, Any] | None = None,
    ) -> SimMessage:
        """Write a message as a person; the bot gets a frame if the message is for it.

        ``raw`` replaces or adds keys of the callback payload; None removes one. Raises `SimNotFound`, `SimForbidden`.
        """
        conversation, sender = self.conversation(conversation_id), self.person(sender_id)
        if sender_id not in conversation.members:
            raise SimForbidden(f"{sender_id!r} is not a member of this conversation")
        mentioned = [self.person(user_id) for user_id in at_user_ids]
        group = conversation.kind == "group"
        robot = self.config.robot_name
        words = f"@{robot} {text}" if group and at_bot and msgtype == "text" and f"@{robot}" not in text else text
        msg_id = f"msg{base64.b64encode(self.rng.randbytes(16)).decode()}"
        message = self.chat.add_message(
            conversation,
            sender=sender,
            msgtype=msgtype,
            msg_id=msg_id,
            at_user_ids=tuple(at_user_ids),
            **displayed_content(msgtype, words, content or {}),
        )
        if group and not (at_bot and conversation.bot_member and msgtype in GROUP_TYPES):
            return message
        session, expires = self.credentials.sessions.issue(conversation.id)
        payload = bot_message(
            self.config,
            conversation,
            sender,
            msg_id=msg_id,
            msgtype=msgtype,
            content=content,
            text=without_mention(text, robot) if group else text,
            created=message.at,
            session=(f"{self.base_url}/robot/sendBySession?session={session}", expires),
            at_users=mentioned,
            published=not self.faults.trigger("unpublished_bot"),
        )
        if not self.flow.use() or self.faults.trigger("quota_payload"):
            payload = without_text(payload)
        if raw:
            payload = {key: value for key, value in {**payload, **raw}.items() if key not in raw or value is not None}
        self.pushes.push(SimPush(type=CALLBACK, topic=MESSAGES, data=orjson.dumps(payload).decode(), redeliver=True))
        return message

    async def click(
        self,
        out_track_id: str,
        user_id: str,
        button_id: str | None = None,
        *,
        conversation_id: str | None = None,
        params: Mapping[str, Any] | None = None,
        fields: Mapping[str, str] | None = None,
        raw: Mapping[str, Any] | None = None,
    ) -> ClickResult:
        """Press a button and wait for the bot's answer. Without ``button_id`` only the ``params`` are sent.

        ``fields`` is what the person entered into fields of the card: text, or the value of an option. ``raw`` replaces
        or adds keys of the callback, as somebody of another organisation or a forger would. Raises `SimNotFound`,
        `SimForbidden`.
        """
        card, person = self.cards.get(out_track_id), self.person(user_id)
        if card is None:
            raise SimNotFound(f"no card {out_track_id!r}")
        conversation = self._place(card, user_id, conversation_id)
        button = None
        if button_id is not None:
            button = card.view_for(user_id).button(button_id)
            if button is None:
                raise SimNotFound(f"no button {button_id!r} on this card for {user_id!r}")
            if button.disabled or not button.request:
                raise SimForbidden(f"button {button_id!r} sends nothing")
        if card.callback_type != "STREAM":
            self.timeline.note("click", "callbackType is not STREAM: the click does not reach the stream")
            return ClickResult(False, "该卡片未配置回调", 0.0)
        added: Mapping[str, Any] = {}
        if button is None or button.submits:
            seen, entered = card.variables_for(user_id), fields or {}
            try:
                added = card.template.params(seen, entered)
            except InvalidFieldValue as error:
                raise SimForbidden(str(error)) from error
            if missing := card.template.missing(seen, entered):
                return ClickResult(False, missing, 0.0)
        action_ids, values = click_params(button, {**(params or {}), **added})
        if self.faults.trigger("no_action_ids"):
            action_ids = []
        if self.faults.trigger("no_params_id"):
            values.pop("id", None)
        payload = card_callback(self.config, card, conversation, person, action_ids=action_ids, params=values)
        return await self._send_click(card, user_id, orjson.dumps({**payload, **(raw or {})}).decode())

    def emit_event(self, event_type: str, data: Mapping[str, Any]) -> None:
        """Push a platform event to the event subscribers."""
        now = str(self.milliseconds())
        headers = {
            "eventId": f"{self.rng.getrandbits(128):032x}",
            "eventBornTime": now,
            "eventCorpId": self.config.corp_id,
            "eventType": event_type,
            "eventUnifiedAppId": self.config.client_id,
        }
        if event_type not in FREE_EVENTS and not self.flow.use():
            data = without_content()
        self.pushes.push(
            SimPush(type=EVENT, topic="*", data=orjson.dumps(data).decode(), headers=headers, redeliver=True)
        )

    def dismiss(self, user_id: str) -> None:
        """Let a member leave the company: the directory no longer has them. Raises `SimNotFound`."""
        self.enterprise.people[user_id] = replace(self.person(user_id), external=True)
        self.emit_event("user_leave_org", {"timeStamp": str(self.milliseconds()), "userId": [user_id]})

    def change_roles(self, user_id: str, roles: Sequence[str]) -> None:
        """Replace a member's roles. Raises `SimNotFound`."""
        known = set(self.enterprise.roles.values())
        if unknown := [role for role in roles if role not in known]:
            raise SimNotFound(f"no role {unknown[0]!r}")
        before = self.person(user_id)
        self.enterprise.people[user_id] = replace(before, roles=tuple(roles))
        added, removed = set(roles) - set(before.roles), set(before.roles) - set(roles)
        for action, labels in (("add", added), ("remove", removed)):
            if labels or (action == "add" and not removed):
                ids = [self.enterprise.role_id(role) for role in sorted(labels)]
                self.emit_event("label_user_change", {"userIdList": [user_id], "action": action, "labelIdList": ids})

    # waiting

    async def wait_for(self, predicate: Callable[[], Awaited], timeout: float = 60.0) -> Awaited:
        """Return the first true value of ``predicate``, which is checked after every change. Raises `TimeoutError`."""
        value = predicate()
        if value:
            return value
        waiter = (predicate, asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(timeout):
                await waiter[1]
        finally:
            self._waiters.remove(waiter)
        return waiter[1].result()  # type: ignore[no-any-return]  # the future holds what the predicate returned

    async def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the simulator's end."""
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return

    # administration

    def reset(self) -> None:
        """Return to the initial state. Connections and app tokens stay, sequence numbers continue."""
        self.pushes.clear()
        self.enterprise.people.clear()
        self.enterprise.people.update(self._first_people)
        self.chat.clear()
        self.cards.clear()
        self.readings = self._first_readings()
        self.media.clear()
        self.approvals.clear()
        self.todos.clear()
        self.tables.clear()
        self.faults.clear()
        self.flow.clear()
        self.timeline.clear()
        for robot in self.robots.values():
            robot.clear()
        self.live.tell("reset", {})

    def _first_readings(self) -> CardReadings:
        return CardReadings(answers_public=self.config.answers_public, private_values=self.config.private_values)

    def close(self) -> None:
        """Release all waiters."""
        self.closing.set()
        self.pushes.close()

    def _listen(self) -> None:
        self.timeline.on_entry = self._on_entry
        self.chat.on_item = self._on_item
        self.cards.on_forget = self.chat.forget_card
        self.faults.on_change = self._on_faults
        self.flow.on_change = self._on_quota
        self.pushes.on_connections = self._on_connections

    def _on_entry(self, entry: TimelineEntry) -> None:
        if self.live.viewers:
            self.live.tell("timeline", entry.render())
        self._check_soon()

    def _on_item(self, item: ChatItem) -> None:
        if self.live.viewers:
            self.live.item(item)
        self._check_soon()

    def _on_faults(self) -> None:
        if self.live.viewers:
            self.live.tell("faults", self.faults.render())
        self._check_soon()

    def _on_quota(self) -> None:
        if self.live.viewers:
            self.live.tell("quota", self.flow.render())
        self._check_soon()

    def _on_todos(self) -> None:
        self.live.tell("todos", {})
        self._check_soon()

    def _on_tables(self) -> None:
        self.live.tell("tables", {})
        self._check_soon()

    def _on_connections(self) -> None:
        self.live.tell("connections", len(self.pushes.connections))
        self._check_soon()

    def _check_soon(self) -> None:
        """Check the predicates once in this turn of the loop, however many changes it brings."""
        if self._waiters and not self._check_due:
            self._check_due = True
            asyncio.get_running_loop().call_soon(self._check)

    def _check(self) -> None:
        self._check_due = False
        for predicate, future in list(self._waiters):
            if future.done():
                continue
            try:
                value = predicate()
            except Exception as error:  # noqa: BLE001 - raised again where the predicate came from
                future.set_exception(error)
                continue
            if value:
                future.set_result(value)

    def _place(self, card: CardInstance, user_id: str, conversation_id: str | None) -> SimConversation:
        """Return the conversation of a click: the given one, otherwise the first where this person sees the card."""
        for copy in self.chat.copies(card):
            if copy.visible_to(user_id) and conversation_id in (None, copy.conversation.id):
                return copy.conversation
        raise SimNotFound(f"{user_id!r} does not see the card {card.out_track_id!r} there")

    async def _send_click(self, card: CardInstance, user_id: str, data: str) -> ClickResult:
        started = perf_counter()
        held = self.faults.trigger("slow_toast")

        def late(answer: Any) -> None:
            self.timeline.note("click", "the answer came after the client had given up", {"userId": user_id})
            if self.faults.trigger("late_ack_applies"):
                self._apply(card, user_id, answer)

        push = SimPush(
            type=CALLBACK,
            topic=CARD_CALLBACK,
            data=data,
            done=asyncio.get_running_loop().create_future(),
            on_late=late,
            answer_delay_ms=held.delay_ms if held is not None else 0,
        )
        self.flow.click()
        if not self.pushes.push(push) or push.done is None:
            return self._failed("网络异常，请稍后重试", started, "no connection is subscribed to card callbacks")
        try:
            async with asyncio.timeout(self.config.click_timeout):
                answer = await push.done
        except TimeoutError:
            return self._failed("操作超时，请稍后重试", started, "no answer within the client's time")
        if answer is None or not self._apply(card, user_id, answer):
            return self._failed("操作失败", started, "the answer is an error or malformed")
        return ClickResult(True, None, (perf_counter() - started) * 1000)

    def _failed(self, toast: str, started: float, why: str) -> ClickResult:
        self.timeline.note("toast", f"{toast} ({why})")
        return ClickResult(False, toast, (perf_counter() - started) * 1000)

    def _apply(self, card: CardInstance, user_id: str, answer: Any) -> bool:
        """Show a click's answer to the clicker; False if the platform does not understand it."""
        response = answer.get("response") if isinstance(answer, dict) else None
        if not isinstance(response, dict):
            # The SDKs' default answers ({"response": "OK"}, the echoed payload) change nothing and are accepted.
            return isinstance(answer, dict)
        try:
            data, private = answer_params(response.get("cardData")), answer_params(response.get("userPrivateData"))
        except ValueError as error:
            self.timeline.note("click", f"bad answer: {error}", response)
            return False
        options = response.get("cardUpdateOptions")
        if data is not None or private is not None:
            card.answer(user_id, data, private, options if isinstance(options, dict) else {})
            self.chat.notify_changed(copy for copy in self.chat.copies(card) if copy.visible_to(user_id))
        return True


ENGINE_KEY: web.AppKey[SimEngine] = web.AppKey("engine", SimEngine)
