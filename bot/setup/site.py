"""The pages of the set-up: one for each step. They are for one browser at a time, and there is no login."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp
import segno
import structlog
from aiohttp import web

from bot.access.policy import ADMIN
from bot.access.presets import ROLE_NAMES
from bot.bootstrap.factories import open_api
from bot.cards.language import Language, choose_language
from bot.chat.registry import installed_commands
from bot.dingtalk.directory import DirectoryPerson
from bot.dingtalk.registration import AppRegistration, RegistrationState, begin_registration
from bot.doctor.results import CheckGrade, CheckResult
from bot.erp.vendors import find_vendor, known_vendors
from bot.mechanisms.metrics import Metrics
from bot.settings import Settings
from bot.setup.access_preview import preview_access
from bot.setup.door import SetupDoor
from bot.setup.draft import (
    STEP_TITLES,
    AccessChoice,
    EnteredAccess,
    EnteredAlerts,
    EnteredKeys,
    SetupDraft,
    SetupStep,
    source_name,
)
from bot.setup.files import PlannedFile, digest_of_plan, plan_files, write_files
from bot.setup.listening import GroupListener
from bot.setup.trials import SourceTrial, list_people, try_app, try_source
from bot.setup.vendor_form import VendorForm, empty_form, read_form
from bot.web.pages.drawing import STATIC, PageDrawing
from bot.web.pages.forms import read_own_form
from bot.web.pages.markup import as_html, inline_html
from bot.web.pages.visit import redirect
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase, Words, phrase

log = structlog.get_logger(__name__)

SETUP = "/setup"
_SESSION = "setup"
_MOST_BYTES = 65_536
_LOOK_SECONDS = 3
"""After which a page that waits for DingTalk looks again."""

CLOSED = phrase(
    "This address was used already, or is not whole. The terminal of `dingerp setup` shows the one that opens."
)
FOREIGN_FORM = phrase("This form is not from your session here, so nothing was done. Please open the page again.")
FAILED = phrase("That did not work (%(error)s). Nothing was written. Please try again.")
MISSING = phrase("is missing")
CHANGED = phrase("The files have changed since they were shown, so nothing was written. Please look at them again.")
CHOICES: Mapping[AccessChoice, tuple[Phrase, Phrase]] = {
    AccessChoice.ROLES: (
        phrase("By role"),
        phrase("The ready rules: sales see sales, purchasing sees purchases, groups see no amounts."),
    ),
    AccessChoice.EVERYBODY: (phrase("Everybody"), phrase("Every member may ask everything and sees all of it.")),
    AccessChoice.ADMINISTRATORS: (
        phrase("Administrators only"),
        phrase("To look around before others may ask."),
    ),
}
ALERT_TYPES: Mapping[str, Phrase] = {
    "stock.*": phrase("Stock is short or out"),
    "order.late": phrase("A sales order is late"),
    "invoice.overdue": phrase("An invoice is overdue"),
    "po.late": phrase("A purchase order is late"),
    "production.late": phrase("Production is late"),
}

Fields: TypeAlias = Mapping[str, str]


@dataclass(slots=True)
class SetupSite:
    """Serves the pages for the installation with these ``settings``; ``written`` is set when the files are."""

    settings: Settings
    file: Path | None
    drawing: PageDrawing
    languages: Mapping[str, Language]
    door: SetupDoor
    listener: GroupListener
    http: aiohttp.ClientSession
    now: Callable[[], datetime]
    draft: SetupDraft = field(default_factory=SetupDraft)
    written: asyncio.Event = field(default_factory=asyncio.Event)
    _language: str = ""
    _checked: Sequence[CheckResult] = ()
    _registration: AppRegistration | None = None
    _typed: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By vendor the options that were typed last: a secret need not be typed again because another field is wrong."""
    _trial: SourceTrial | None = None

    def mount(self, app: web.Application) -> None:
        """Add the pages to an application."""
        app.router.add_get(f"{STATIC}{{name}}", self._file)
        app.router.add_get("/", self._home)
        app.router.add_get(SETUP, self._begin)
        app.router.add_post(SETUP, self._enter)
        pages: Mapping[str, tuple[_Show, _Take]] = {
            SetupStep.APP: (self._show_app, self._take_app),
            SetupStep.ERP: (self._show_erp, self._take_erp),
            SetupStep.ACCESS: (self._show_access, self._take_access),
            SetupStep.GROUP: (self._show_group, self._take_group),
            SetupStep.WRITE: (self._show_write, self._take_write),
        }
        for step, (show, take) in pages.items():
            app.router.add_get(f"{SETUP}/{step}", self._guarded(show))
            app.router.add_post(f"{SETUP}/{step}", self._taking(take))

    # Who may come in.

    async def _file(self, request: web.Request) -> web.Response:
        return self.drawing.serve_file(request)

    async def _home(self, _request: web.Request) -> web.Response:
        return redirect(self.drawing.address.of(SETUP))

    async def _begin(self, request: web.Request) -> web.Response:
        """Show the door, or where one was. An address alone opens nothing: programs that look at links spend none."""
        self._choose_language(request)
        if token := request.query.get("token", ""):
            return self._draw("setup_begin", token=token)
        if not self._is_in(request):
            return self._closed()
        return redirect(self._address(self.draft.next_step(self.settings)))

    async def _enter(self, request: web.Request) -> web.Response:
        fields = await read_own_form(request, self.drawing.address.origin, lambda _: True)
        session = self.door.enter(fields.get("token", "")) if fields else ""
        if not session:
            log.warning("setup.refused")
            return self._closed()
        address = self.drawing.address
        response = redirect(address.of(SETUP))
        response.set_cookie(
            address.cookie(_SESSION),
            session,
            path=address.cookie_path,
            secure=address.is_secure,
            httponly=True,
            samesite="Lax",
        )
        return response

    def _is_in(self, request: web.Request) -> bool:
        return self.door.knows(request.cookies.get(self.drawing.address.cookie(_SESSION), ""))

    def _closed(self) -> web.Response:
        return self._draw("setup_closed", status=HTTPStatus.FORBIDDEN, problem=CLOSED)

    def _guarded(self, show: _Show) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            self._choose_language(request)
            if not self._is_in(request):
                return self._closed()
            return await self._safely(show(request))

        return handle

    def _taking(self, take: _Take) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            if not self._is_in(request):
                return self._closed()
            fields = await read_own_form(request, self.drawing.address.origin, self.door.sent_form, _MOST_BYTES)
            if fields is None:
                return self._draw("setup_closed", status=HTTPStatus.FORBIDDEN, problem=FOREIGN_FORM)
            return await self._safely(take(fields))

        return handle

    async def _safely(self, answer: Awaitable[web.Response]) -> web.Response:
        try:
            return await answer
        except (DingerpError, OSError) as error:
            log.warning("setup.failed", error=type(error).__name__)
            why = error.explain() if isinstance(error, DingerpError) else error.strerror or type(error).__name__
            words = phrase(FAILED.msgid, error=why)
            return self._draw("setup_closed", status=HTTPStatus.SERVICE_UNAVAILABLE, problem=words)

    def _choose_language(self, request: web.Request) -> None:
        if code := request.query.get("lang", ""):
            self._language = choose_language(self.languages, code).code

    # The app.

    async def _show_app(self, request: web.Request) -> web.Response:
        if self._registration is not None:
            return await self._follow_registration()
        return self._app_page()

    async def _take_app(self, fields: Fields) -> web.Response:
        match fields.get("do"):
            case "scan":
                api = open_api(self.settings, self.http, Metrics())
                self._registration = await begin_registration(api, self.now)
                return self._go(SetupStep.APP)
            case "type":
                self._registration = None
                return self._go(SetupStep.APP)
            case "again":
                self._checked = await try_app(self._would)
                return self._go(SetupStep.APP)
        client_id, secret = fields.get("client_id", "").strip(), fields.get("client_secret", "").strip()
        wrong = {name: MISSING for name, value in (("client_id", client_id), ("client_secret", secret)) if not value}
        if wrong:
            return self._app_page(client_id, wrong)
        return await self._try_keys(EnteredKeys(client_id, secret))

    async def _follow_registration(self) -> web.Response:
        assert self._registration is not None
        found = await self._registration.look()
        if found.state is RegistrationState.SUCCESS:
            self._registration = None
            return await self._try_keys(EnteredKeys(found.client_id, found.client_secret))
        waits = found.state is RegistrationState.WAITING
        return self._page(
            SetupStep.APP,
            "setup_scan",
            refresh=_LOOK_SECONDS if waits else 0,
            address_of_code=self._registration.address,
            code=segno.make(self._registration.address, error="m").svg_data_uri(scale=5, border=3, light="#fff"),
            state=found,
        )

    async def _try_keys(self, keys: EnteredKeys) -> web.Response:
        """Ask DingTalk, and keep the keys if it takes them."""
        draft = SetupDraft(keys=keys)
        self._checked = await try_app(draft.over(self.settings))
        if self._checked[0].grade is CheckGrade.BAD:
            return self._app_page(keys.client_id)
        self._set(keys=keys)
        self.listener.listen(self._would)
        return self._go(SetupStep.APP)

    def _app_page(self, client_id: str = "", wrong: Mapping[str, Words] | None = None) -> web.Response:
        return self._page(
            SetupStep.APP,
            "setup_app",
            client_id=client_id or self._would.dingtalk.client_id,
            wrong=wrong or {},
            checked=[] if wrong else self._checked,
        )

    # The ERP.

    async def _show_erp(self, request: web.Request) -> web.Response:
        vendor = request.query.get("vendor", "")
        if vendor not in known_vendors():
            vendors = [(name, find_vendor(name).title) for name in known_vendors()]
            return self._page(SetupStep.ERP, "setup_erp", vendors=vendors, trial=self._shown_trial(), vendor_form=None)
        return self._erp_page(empty_form(vendor, self._known_options(vendor)))

    async def _take_erp(self, fields: Fields) -> web.Response:
        vendor = fields.get("vendor", "")
        if vendor not in known_vendors():
            return self._go(SetupStep.ERP)
        known = self._known_options(vendor)
        read, source = read_form(empty_form(vendor, known), fields, known)
        self._typed[vendor] = {name: source.options[name] for name in source.secrets & {*source.options}}
        if read.is_wrong:
            return self._erp_page(read)
        draft = SetupDraft(source=source)
        trial = await try_source(draft.over(self.settings), self._lang.code)
        self._trial = trial
        if not trial.is_usable:
            return self._erp_page(read)
        self._set(source=source)
        return self._go(SetupStep.ERP)

    def _known_options(self, vendor: str) -> Mapping[str, Any]:
        """Return the options of the source that there is, if it is of this vendor, and what was typed since."""
        source = self._would.erp.get(source_name(self.settings))
        known = source.options if source is not None and source.vendor == vendor else {}
        return {**known, **self._typed.get(vendor, {})}

    def _erp_page(self, form: VendorForm) -> web.Response:
        failed = self._shown_trial() if self._trial and not self._trial.is_usable else None
        self._trial = None if failed else self._trial
        return self._page(SetupStep.ERP, "setup_erp", vendors=(), trial=failed, vendor_form=form)

    def _shown_trial(self) -> Mapping[str, Any] | None:
        trial = self._trial
        if trial is None:
            return None
        card = trial.card
        drawn = {"title": inline_html(card.title), "body": as_html(card.body), "line": trial.line} if card else None
        return {"failed": trial.failed, "problems": trial.problems, "card": drawn}

    # Who may ask.

    async def _show_access(self, _request: web.Request) -> web.Response:
        people, trouble = await self._people()
        entered = self.draft.access
        chosen = entered.administrators if entered else tuple(self._would.access.roles.get(ADMIN, ()))
        return self._page(
            SetupStep.ACCESS,
            "setup_access",
            choices=[(choice, *words, self._preview(choice)) for choice, words in CHOICES.items()],
            chosen=entered.choice if entered else AccessChoice.ROLES,
            people=people,
            trouble=trouble,
            administrators=chosen or tuple(person.user_id for person in people if person.is_admin),
        )

    async def _take_access(self, fields: Fields) -> web.Response:
        try:
            choice = AccessChoice(fields.get("choice", ""))
        except ValueError:
            return self._go(SetupStep.ACCESS)
        people, _ = await self._people()
        picked = [name.removeprefix("person-") for name in fields if name.startswith("person-")]
        picked += fields.get("user_ids", "").replace(",", " ").replace("，", " ").split()
        access = EnteredAccess(choice, tuple(dict.fromkeys(picked)), by_directory=bool(people))
        self._set(access=access)
        return self._go(self.draft.next_step(self.settings))

    async def _people(self) -> tuple[Sequence[DirectoryPerson], Words]:
        if self._would.keys_missing:
            return (), phrase("The app comes first: its keys open the directory.")
        try:
            return await list_people(self._would), ""
        except DingerpError as error:
            log.warning("setup.no_directory", error=type(error).__name__)
            return (), phrase("The directory cannot be read: the app lacks the permission point qyapi_get_member.")

    def _preview(self, choice: AccessChoice) -> Sequence[Mapping[str, Any]]:
        commands = installed_commands()
        return [
            {
                "roles": seen.roles,
                "commands": [f"/{commands[name].called_in(self._lang.code)}" for name in seen.commands],
                "fields": seen.fields,
            }
            for seen in preview_access(choice)
        ]

    # The first group.

    async def _show_group(self, _request: web.Request) -> web.Response:
        self.listener.listen(self._would)
        return self._group_page(self.draft.alerts)

    def _group_page(self, entered: EnteredAlerts | None, wrong: Words = "") -> web.Response:
        groups = self.listener.groups
        refresh = 0 if groups or self._would.keys_missing else _LOOK_SECONDS
        return self._page(
            SetupStep.GROUP,
            "setup_group",
            refresh=refresh,
            groups=groups,
            types=ALERT_TYPES,
            entered=entered,
            wrong=wrong,
        )

    async def _take_group(self, fields: Fields) -> web.Response:
        if fields.get("do") == "later":
            self._set(alerts=None, without_group=True)
            return self._go(SetupStep.WRITE)
        group, groups = fields.get("group", ""), self.listener.groups
        types = tuple(name for name in ALERT_TYPES if fields.get(f"type-{name}"))
        if group not in groups or not types:
            wrong = phrase("Choose a group and at least one matter.")
            entered = EnteredAlerts(group, groups.get(group, ""), types)
            return self._group_page(entered, wrong)
        self._set(alerts=EnteredAlerts(group, groups[group], types), without_group=False)
        return self._go(SetupStep.WRITE)

    # The files.

    async def _show_write(self, _request: web.Request) -> web.Response:
        return self._write_page()

    async def _take_write(self, fields: Fields) -> web.Response:
        planned = self._planned()
        if SetupStep.WRITE is not self.draft.next_step(self.settings):
            return self._go(self.draft.next_step(self.settings))
        if fields.get("digest") != digest_of_plan(planned):
            return self._write_page(CHANGED)
        write_files(planned, self.file)
        log.info("setup.written", files=[str(each.path) for each in planned])
        line = self._trial.line if self._trial and self._trial.line else "/help"
        response = self._draw("setup_done", line=line, files=planned)
        self.written.set()
        return response

    def _write_page(self, problem: Words = "") -> web.Response:
        planned = self._planned()
        left = [step for step in SetupStep if step not in (*self.draft.done(self.settings), SetupStep.WRITE)]
        return self._page(
            SetupStep.WRITE,
            "setup_write",
            planned=planned,
            digest=digest_of_plan(planned),
            left=left,
            problem=problem,
        )

    def _planned(self) -> tuple[PlannedFile, ...]:
        return plan_files(self.draft, self.settings, self.file)

    # What all pages have.

    @property
    def _would(self) -> Settings:
        return self.draft.over(self.settings)

    @property
    def _lang(self) -> Language:
        return choose_language(self.languages, self._language or self.settings.language)

    def _set(self, **entered: Any) -> None:
        self.draft = replace(self.draft, **entered)

    def _address(self, step: SetupStep) -> str:
        return self.drawing.address.of(f"{SETUP}/{step}")

    def _go(self, step: SetupStep) -> web.Response:
        return redirect(self._address(step))

    def _page(self, step: SetupStep, template: str, *, refresh: int = 0, **values: Any) -> web.Response:
        headers = {"Refresh": f"{refresh}; url={self._address(step)}"} if refresh else {}
        known = {
            "step": step,
            "steps": STEP_TITLES,
            "done": self.draft.done(self.settings),
            "following": self.draft.next_step(self.settings),
            "form_token": self.door.form_token,
            "roles": ROLE_NAMES,
        }
        return self._draw(template, headers=headers, **{**known, **values})

    def _draw(
        self,
        template: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> web.Response:
        return self.drawing.draw(template, self._lang, values, status=status, headers=headers or {})


_Show: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]
_Take: TypeAlias = Callable[[Fields], Awaitable[web.Response]]
