"""Checks of DingTalk: gateway, clock, permission points, templates, robot.

No check shows anything in a group or takes a running bot's place: the gateway is asked for a ticket that is never
used, and permission points are tried with calls that DingTalk refuses for their empty content.
"""

from __future__ import annotations

import email.utils
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp

from bot.bootstrap.factories import open_api, templates
from bot.bootstrap.policy import wants_calls, wants_todos
from bot.bootstrap.sheets import open_table
from bot.dingtalk.apis import (
    APPROVAL_LIST,
    APPROVAL_START,
    CREATE_AND_DELIVER,
    DING_SEND,
    GROUP_SEND,
    USER,
    ApiCall,
)
from bot.dingtalk.directory import DingTalkDirectory
from bot.dingtalk.errors import (
    DingTalkAuthFailed,
    DingTalkError,
    DingTalkQuotaExhausted,
    DingTalkRateLimited,
    DingTalkRefused,
    DingTalkScopeMissing,
    DingTalkUnavailable,
)
from bot.dingtalk.logins import USER_BY_UNION_ID, USER_OF_CODE
from bot.dingtalk.openapi import ApiRetryPolicy, OpenApi
from bot.doctor.results import CheckGrade, CheckResult
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.web.pages.login import CALLBACK
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, phrase

CLOCK_SKEW = 60.0
"""Seconds by which the clock may be wrong; signatures allow more, but ages and reminders would be wrong."""

_ABSENT_USER = "dingerp-doctor-nobody"

_BRIEFLY = 2.0
"""Seconds that an optional check waits when DingTalk asks for a pause."""

CREATE_CARD = ApiCall(name="create_card", method="POST", path="/v1.0/card/instances", idempotent=True)
"""Creates a card that is not delivered, so that nobody sees it."""

ROBOTS_OF_GROUP = ApiCall(
    name="robots_of_group", method="POST", path="/v1.0/robot/groups/robots/query", idempotent=True
)

_TODOS = "/v1.0/todo/users/dingerp-doctor-nobody/tasks"
TODO_WRITE = ApiCall(name="todo_write", method="POST", path=_TODOS, idempotent=True)
"""Creates no to-do, as nobody has that unionId."""
TODO_READ = ApiCall(name="todo_read", method="GET", path=f"{_TODOS}/sources/dingerp-doctor", idempotent=True)

_RECORDS = "/v1.0/notable/bases/dingerp-doctor-nobody/sheets/dingerp-doctor/records"
SHEETS_READ = ApiCall(name="sheets_read", method="POST", path=f"{_RECORDS}/list", idempotent=True)
SHEETS_WRITE = ApiCall(name="sheets_write", method="POST", path=f"{_RECORDS}/delete", idempotent=True)
"""Deletes nothing, as there is no such table."""


async def check_app(settings: Settings, session: aiohttp.ClientSession, api: OpenApi) -> AsyncIterator[CheckResult]:
    """Check the route to DingTalk and the app's permissions. The first result says whether it is reached."""
    gateway, clock = await _gateway(settings, session)
    yield gateway
    if clock:
        yield clock
    if gateway.grade is CheckGrade.BAD:
        return
    yield await _permission(api, CREATE_AND_DELIVER, {}, "Card.Instance.Write", phrase("answers as cards"))
    yield await _permission(api, GROUP_SEND, {}, "qyapi_robot_sendmsg", phrase("answers as text when cards fail"))
    todos = wants_todos(settings)
    by_union_id = todos or bool(settings.sheets)
    if settings.access.reads_directory or by_union_id:
        use = phrase("knowing who is a member, and roles")
        without = phrase("not granted: only people who have written to the bot are obeyed, without roles of DingTalk's")
        absent = {"userid": _ABSENT_USER}
        if settings.access.directory or by_union_id:
            yield await _permission(api, USER, absent, "qyapi_get_member", use)
        else:  # optional permissions are tried once
            once = open_api(settings, session, Metrics(), patience=ApiRetryPolicy(tries=1, overall=_BRIEFLY))
            yield await _permission(once, USER, absent, "qyapi_get_member", use, without)
    if settings.approvals.native.process:
        use = phrase("deciding in DingTalk's own approvals as well (the console calls it “OA 审批”)")
        yield await _permission(api, APPROVAL_START, {}, "Workflow.Instance.Write", use)
        yield await _permission(api, APPROVAL_LIST, {}, "Workflow.Instance.Read", use)
    if todos:
        use = phrase("to-dos for those whose turn it is")
        yield await _permission(api, TODO_WRITE, {}, "Todo.Todo.Write", use)
        yield await _permission(api, TODO_READ, None, "Todo.Todo.Read", use)
    if settings.sheets:
        use = phrase("lists in shared tables")
        yield await _permission(api, SHEETS_READ, {}, "Notable.Base.Read.All", use)
        yield await _permission(api, SHEETS_WRITE, {}, "Notable.Base.Write.All", use)
        for name in settings.sheets:
            yield await _shared_table(settings, api, name)
    if wants_calls(settings):
        use = phrase(
            "calling people (DING); by one of DingTalk's pages all editions may, by another Professional and Exclusive"
        )
        yield await _permission(api, DING_SEND, {}, "Premium.Ding.Write", use)
    if settings.has_pages:
        yield _redirect_url(settings)
        if not (settings.access.reads_directory or by_union_id):
            nobody, use = {"unionid": _ABSENT_USER}, phrase("logging in to the pages in a browser")
            yield await _permission(api, USER_BY_UNION_ID, nobody, "qyapi_get_member", use)
        use = phrase("logging in to the pages inside DingTalk")
        yield await _permission(api, USER_OF_CODE, {"code": _ABSENT_USER}, "qyapi_base", use)
    yield await _card_templates(settings, api)


def _redirect_url(settings: Settings) -> CheckResult:
    """Say what the console must have: nothing of it can be asked for, since only a person's login shows it."""
    return CheckResult(
        phrase("Login to the pages"),
        CheckGrade.NOTE,
        phrase("people come back to %(address)s", address=f"{settings.http.public_url}{CALLBACK}"),
        phrase(
            "Enter this address as redirect URL in the security settings of the app, and grant Contact.User.Read;"
            " logging in once shows that both are right."
        ),
    )


async def _gateway(settings: Settings, session: aiohttp.ClientSession) -> tuple[CheckResult, CheckResult | None]:
    """Request a connection that is never opened, and compare clocks."""
    what = phrase("Stream gateway")
    dingtalk = settings.dingtalk
    body = {
        "clientId": dingtalk.client_id,
        "clientSecret": dingtalk.client_secret.get_secret_value(),
        "subscriptions": [{"type": "CALLBACK", "topic": "/v1.0/im/bot/messages/get"}],
        "ua": "dingerp-doctor",
        "localIp": "",
    }
    url = f"{dingtalk.openapi_endpoint}/v1.0/gateway/connections/open"
    try:
        async with session.post(
            url, json=body, headers={"Accept": "application/json"}, timeout=aiohttp.ClientTimeout(total=10)
        ) as response:
            clock = _clock(response.headers.get("Date", ""))
            status = response.status
    except (aiohttp.ClientError, TimeoutError) as error:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("not reached (%(error)s)", error=type(error).__name__),
            phrase("Let this machine open connections to %(host)s, or set the proxy.", host=dingtalk.openapi_endpoint),
        ), None
    if status == 401:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("the keys are not accepted"),
            phrase(
                "Compare client id and client secret with the app's page; blanks and old secrets are the usual cause."
            ),
        ), clock
    if status != 200:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("answered HTTP %(status)s", status=status),
            phrase("Is the message receiving mode of the robot “Stream”, and is a version of the app published?"),
        ), clock
    return CheckResult(what, CheckGrade.GOOD, phrase("reached, and it accepts the keys")), clock


def _clock(date: str) -> CheckResult | None:
    try:
        theirs = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    what = phrase("Clock")
    off = round(abs((datetime.now(UTC) - theirs).total_seconds()))
    if off > CLOCK_SKEW:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("%(seconds)s s off DingTalk's", seconds=off),
            phrase("Switch time synchronisation on."),
        )
    return CheckResult(what, CheckGrade.GOOD, phrase("agrees with DingTalk's"))


async def _permission(
    api: OpenApi, call: ApiCall, body: dict[str, str] | None, scope: str, use: Phrase, without: Phrase | None = None
) -> CheckResult:
    """Try a call that cannot succeed: DingTalk checks the permission point before the content.

    ``without`` describes how the bot manages without the permission, if it can.
    """
    what = phrase("Permission point %(scope)s", scope=scope)
    try:
        await api.call(call, body)
    except DingTalkScopeMissing as error:
        link = error.links[0] if error.links else "https://open-dev.dingtalk.com"
        return CheckResult(
            what,
            CheckGrade.NOTE if without else CheckGrade.BAD,
            without or phrase("not granted; it is needed for: %(use)s", use=use),
            phrase("Grant it at %(link)s and publish the app again.", link=link),
        )
    except DingTalkRefused:
        pass
    except DingTalkError as error:
        return _failure(what, error)
    return CheckResult(what, CheckGrade.GOOD, phrase("granted"))


async def _shared_table(settings: Settings, api: OpenApi, name: str) -> CheckResult:
    """Read the columns of a shared table, in its operator's name."""
    what = phrase("Shared table %(name)s", name=name)
    try:
        table = await open_table(api, settings, DingTalkDirectory(api), name)
        await table.columns()
    except DingTalkError as error:
        return _failure(what, error)
    except DingerpError as error:
        help_ = phrase("Let its operator open the table in DingTalk, and compare `base` and `sheet` with its link.")
        return CheckResult(what, CheckGrade.BAD, error.tell(), help_)
    return CheckResult(what, CheckGrade.GOOD, phrase("can be read"))


async def _card_templates(settings: Settings, api: OpenApi) -> CheckResult:
    what = phrase("Card templates")
    choice = templates(settings)
    used = {choice.default.template_id, *(template.template_id for template in choice.by_card.values())}
    ids = sorted({*used, settings.cards.form_template} - {""})
    for template_id in ids:
        body = {
            "cardTemplateId": template_id,
            "outTrackId": f"doctor-{uuid.uuid4().hex}",
            "callbackType": "STREAM",
            "cardData": {"cardParamMap": {"title": "dingerp doctor"}},
            "imGroupOpenSpaceModel": {"supportForward": False},
            "userIdType": 1,
        }
        try:
            await api.call(CREATE_CARD, body)
        except DingTalkRefused as error:
            return CheckResult(
                what,
                CheckGrade.BAD,
                phrase("DingTalk refuses %(template)s (%(code)s)", template=template_id, code=error.code),
                phrase("Publish the template in the card builder and associate it with this app, or remove it here."),
            )
        except DingTalkError as error:
            return _failure(what, error)
    return CheckResult(what, CheckGrade.GOOD, phrase("%(count)s usable", count=len(ids)))


async def find_robot(api: OpenApi, group: str) -> CheckResult:
    """Find the app's own robot among those of a group."""
    what = phrase("Robot in the group")
    if not group:
        return CheckResult(
            what,
            CheckGrade.NOTE,
            phrase("not looked at"),
            phrase("Name a group with --group to look for the robot in it."),
        )
    try:
        answer = await api.call(ROBOTS_OF_GROUP, {"openConversationId": group})
    except DingTalkRefused as error:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("DingTalk does not know it there (%(code)s)", code=error.code),
            phrase("Add the robot in the group's settings under “Robots”."),
        )
    except DingTalkError as error:
        return _failure(what, error)
    robots = answer.get("chatbotInstanceVOList")
    codes = (
        {robot.get("robotCode") for robot in robots if isinstance(robot, dict)} if isinstance(robots, list) else set()
    )
    if api.keys.robot_code not in codes:
        return CheckResult(
            what,
            CheckGrade.BAD,
            phrase("it is not a member"),
            phrase("Add the robot in the group's settings under “Robots”."),
        )
    return CheckResult(what, CheckGrade.GOOD, phrase("it is a member"))


def _failure(what: Phrase, error: DingTalkError) -> CheckResult:
    match error:
        case DingTalkAuthFailed():
            words, remedy = phrase("the keys are not accepted"), phrase("Compare client id and client secret.")
        case DingTalkQuotaExhausted():
            words, remedy = (
                phrase("the month's calls are used up"),
                phrase("Wait for the next month or buy more calls in the console."),
            )
        case DingTalkRateLimited() | DingTalkUnavailable():
            words, remedy = phrase("DingTalk is busy or not reached"), phrase("Try again in a minute.")
        case _:
            words, remedy = phrase("%(text)s", text=error.detail), phrase("Try again in a minute.")
    return CheckResult(what, CheckGrade.BAD, words, remedy)
