"""Views to cards: one template of blocks, one language, one budget."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from itertools import chain
from operator import itemgetter
from pathlib import Path

import structlog
from jinja2 import ChoiceLoader, FileSystemLoader, FunctionLoader, TemplateError, TemplateNotFound, TemplateSyntaxError
from jinja2.runtime import Context

from bot.cards.budget import Budget
from bot.cards.buttons import RenderedButton, render_buttons
from bot.cards.card import Card, CardButton
from bot.cards.environment import Blocks, CardEnvironment
from bot.cards.fields import ViewFields
from bot.cards.form_layout import render_form
from bot.cards.language import TEMPLATES, Language, choose_language
from bot.cards.layout import (
    card_markdown,
    cut_bytes,
    cut_lines,
    lines_of,
    plain_markdown,
    single_line,
    strip_colours,
)
from bot.cards.navigation import BACK, lead_back, with_way_back
from bot.cards.presenter import Presenter
from bot.cards.sandbox import SandboxedCardEnvironment
from bot.cards.view import Button, ListView, View, ask_again, lead_on
from bot.cards.withholding import own_view_buttons, withheld_note
from bot.erp.kinds import KINDS
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, phrase

log = structlog.get_logger(__name__)

CARDS = TEMPLATES / "cards"
SUFFIX = ".md.j2"
MAX_TEMPLATE = 32_768
"""Bytes of a customer's template file."""
MAX_TWIN = 12_000
"""Bytes of a text twin: ``msgParam`` may have 15 000 together with its JSON
(docs: platform/dingtalk/limits.md#message-sizes)."""

_WELCOME = phrase("New here? Just ask in your own words, or tap what you would like to try.")
_NOT_DONE = phrase("Nothing was done.")
_SHORTENED = phrase("… The rest does not fit here.")

# Errors that a faulty template can raise. Anything else is a bug of the bot and must surface.
_TEMPLATE_FAULTS = (
    TemplateError,
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    OSError,
)


_DRAWN: Mapping[str, tuple[str, ...]] = {
    "document": tuple(kind.card for kind in KINDS),
    "documents": tuple(kind.list_card for kind in KINDS),
}
"""The shared templates, and the cards of which each draws those that have none of their own."""


@dataclass(frozen=True, slots=True)
class BrokenTemplate:
    """A customer's template that cannot be used, and why."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What a card has besides its view: see `CardRenderer.render`."""

    read_as: Phrase | None = None
    trail: Sequence[str] | None = None
    tries: Sequence[Button] = ()
    reference: str = ""


@dataclass(slots=True)
class _Draft:
    """A view rendered once: ``size`` is the body in bytes, ``holds`` says whether it fits, ``fits`` whether the buttons
    do, too.
    """

    view: View
    context: Context
    lines: list[str]
    body: str
    size: int
    buttons: list[RenderedButton]
    holds: bool
    fits: bool


@dataclass(frozen=True, slots=True)
class _CompiledTemplate:
    """One template of one language, ready for views."""

    environment: CardEnvironment
    name: str
    blocks: Blocks
    budget: Budget

    @property
    def presenter(self) -> Presenter:
        return self.environment.presenter

    def draft(self, view: View, trail: Sequence[str]) -> _Draft:
        context = self.environment.context(self.name, self.blocks, view)
        lines = lines_of(self._text("body", context))
        if view.instead:
            lines = [self.presenter.show(_NOT_DONE), "", *lines]
        body = card_markdown(lines)
        size = len(body.encode())
        wanted = with_way_back(view, (*own_view_buttons(view), *lead_on(view, view.buttons())), trail)
        buttons = render_buttons(wanted, self.presenter)
        holds = self.budget.holds(body)
        return _Draft(view, context, lines, body, size, buttons, holds, holds and self.fits_buttons(buttons))

    def holds_rows(self, draft: _Draft) -> bool:
        """Whether there is room for the rows of a list, and for their buttons if it is there to open one."""
        opens = isinstance(draft.view, ListView) and draft.view.opens_rows
        return draft.fits if opens else draft.holds

    def fits_buttons(self, buttons: Sequence[RenderedButton]) -> bool:
        return self.budget.fits([self.budget.size_of(rendered.button) for rendered in buttons])

    def tips(self, draft: _Draft) -> str:
        limit, note = self.budget.tips_bytes, withheld_note(draft.view, self.presenter)
        tips = self.line("tips", draft.context, limit)
        return cut_bytes(" · ".join(filter(None, (note, tips))), limit) if note else tips

    def with_spare(self, draft: _Draft, buttons: tuple[CardButton, ...]) -> tuple[CardButton, ...]:
        """Return a card's buttons with those of the view's spare ones that have room, in front of a way back."""
        ends = len(buttons) - bool(buttons and buttons[-1].text == self.presenter.show(BACK))
        for rendered in render_buttons(lead_on(draft.view, draft.view.spare_buttons()), self.presenter):
            more = (*buttons[:ends], rendered.button, *buttons[ends:])
            if not self.budget.fits([*map(self.budget.size_of, more)]):
                break
            buttons, ends = more, ends + 1
            draft.buttons = [*draft.buttons, rendered]
        return buttons

    def welcome(self, draft: _Draft, tries: Sequence[Button]) -> str:
        """Add what a newcomer may try to the buttons, if there is room, and return what the tips say of it."""
        if not tries:
            return ""
        known = {rendered.button.token for rendered in draft.buttons}
        new = [rendered for rendered in render_buttons(tries, self.presenter) if rendered.button.token not in known]
        if self.fits_buttons([*draft.buttons, *new]):
            draft.buttons = [*draft.buttons, *new]
            return self.presenter.show(_WELCOME)
        lines = self.presenter.show(phrase(", ")).join([self._tried(rendered) for rendered in new])
        return self.presenter.show(phrase("New here? Just ask in your own words, or try %(lines)s", lines=lines))

    def _tried(self, rendered: RenderedButton) -> str:
        """Return a question as the tips name it: its words, and in brackets the line to type."""
        if rendered.ask is None:
            return rendered.twin
        return rendered.button.text + self.presenter.show(phrase(" (%(text)s)", text=rendered.ask.typed))

    def line(self, block: str, context: Context, limit: int) -> str:
        return single_line(self._text(block, context), limit)

    def _text(self, block: str, context: Context) -> str:
        blocks = self.blocks
        return self.environment.concat(blocks[block][0](context)) if block in blocks else ""


class _CompiledTemplates(dict[str, _CompiledTemplate]):
    """The templates of one environment by the name of their card, compiled when first needed."""

    def __init__(self, environment: CardEnvironment, budget_of: Callable[[str], Budget]) -> None:
        super().__init__()
        self._environment = environment
        self._budget_of = budget_of

    def __missing__(self, name: str) -> _CompiledTemplate:
        blocks = self._environment.blocks_of(name + SUFFIX)
        return self.setdefault(name, _CompiledTemplate(self._environment, name, blocks, self._budget_of(name)))

    def of(self, view: View) -> _CompiledTemplate:
        """Return the template of a view's card, else the shared one that draws it; raises `TemplateNotFound`."""
        if view.card in self or not view.drawn_by:
            return self[view.card]
        try:
            return self[view.card]
        except TemplateNotFound as missing:
            if missing.name != view.card + SUFFIX:
                raise
            shared = replace(self[view.drawn_by], budget=self._budget_of(view.card))
            return self.setdefault(view.card, shared)


class _LocalisedTemplates:
    """The environments of one language in one zone, with all templates that were needed so far."""

    def __init__(
        self,
        presenter: Presenter,
        budget_of: Callable[[str], Budget],
        folders: Sequence[Path],
        custom: Path | None,
    ) -> None:
        built_in = CardEnvironment(FileSystemLoader(folders), presenter)
        built_in.adopt_macros(built_in)
        self.built_in = _CompiledTemplates(built_in, budget_of)
        self.custom: _CompiledTemplates | None = None
        if custom:
            loader = ChoiceLoader([_small_files(custom), FileSystemLoader(folders)])
            sandboxed = SandboxedCardEnvironment(loader, presenter)
            sandboxed.adopt_macros(built_in)
            self.custom = _CompiledTemplates(sandboxed, budget_of)


class CardRenderer:
    """Turns views into cards that fit; holds compiled templates, and no state of any reader."""

    def __init__(
        self,
        *,
        languages: Mapping[str, Language],
        budget_of: Callable[[str], Budget] = lambda card: Budget(),
        custom_dir: Path | None = None,
        template_dirs: Sequence[Path] = (CARDS,),
        now: Callable[[], datetime] | None = None,
        sources: Collection[str] = (),
    ) -> None:
        """``budget_of`` tells how much fits on the cards of a name.

        ``custom_dir`` holds a customer's own templates, which replace those in ``template_dirs``. ``now`` tells the
        year that goes without saying; without it every date is shown with its year. ``sources`` are the ERPs that a
        line may have to tell apart.
        """
        self._sources = frozenset(sources)
        self._now = now
        self._languages = languages
        self._budget_of = budget_of
        self._folders = tuple(template_dirs)
        self._custom_dir = custom_dir
        self._custom_names = _names_in(custom_dir) if custom_dir else frozenset()
        self._built_in_names = frozenset().union(*map(_names_in, self._folders))
        self._localised: dict[tuple[str, tzinfo], _LocalisedTemplates] = {}
        self._reported: set[str] = set()

    def render(
        self,
        view: View,
        language: str,
        *,
        zone: tzinfo,
        read_as: Phrase | None = None,
        trail: Sequence[str] | None = None,
        tries: Sequence[Button] = (),
        reference: str = "",
    ) -> Card:
        """Return the card for one reader; always within the budget. Its tips begin with ``read_as``.

        With a ``trail``, the lines of what the card showed before, its buttons lead back (`bot.cards.navigation`).
        ``tries`` are what a newcomer may try: further buttons, where there is room for all of them. A ``reference`` to
        what was done ends its tips.

        Raises `ConfigurationError` when there is no template for the view. A customer's broken template is logged
        once and replaced by the built-in one.
        """
        templates = self._localise(choose_language(self._languages, language), zone)
        view = self.tell_apart(view)
        wishes = _Wishes(read_as, trail, tries, reference)
        if self._is_custom(view):
            try:
                return self._render_custom(templates, view, wishes)
            except _TEMPLATE_FAULTS as fault:
                if view.card not in self._reported:
                    self._reported.add(view.card)
                    log.error("card.custom_template_broken", card=view.card, why=_why(fault))
                # Here, so that the fault is part of the traceback where no built-in template takes over.
                return self._render_built_in(templates, view, wishes)
        return self._render_built_in(templates, view, wishes)

    def _is_custom(self, view: View) -> bool:
        """Whether the customer draws a view: its card, or where nobody has one of its own, what it shares."""
        own = view.card in self._custom_names
        return own or (view.drawn_by in self._custom_names and view.card not in self._built_in_names)

    def tell_apart(self, view: View) -> View:
        """Return a view that says of which ERP it and its rows are, where there are several."""
        if len(self._sources) < 2:
            return view
        books = (f"@{view.origin}",) if not view.books and view.origin in self._sources else view.books
        return replace(view, apart=True, books=books)

    def broken_templates(self, samples: Callable[[str], View], zone: tzinfo) -> tuple[BrokenTemplate, ...]:
        """Return the customer's templates that fail with their sample in any language, for the doctor."""
        broken = []
        for name in sorted(self._custom_names):
            assert self._custom_dir is not None
            path = self._custom_dir / f"{name}{SUFFIX}"
            try:
                for sample in map(samples, _DRAWN.get(name, (name,))):
                    for language in self._languages.values():
                        self._render_custom(self._localise(language, zone), sample, _Wishes())
            except (*_TEMPLATE_FAULTS, ConfigurationError) as fault:
                broken.append(BrokenTemplate(path, _why(fault)))
        return tuple(broken)

    def names(self) -> tuple[str, ...]:
        """Return the names of all cards that have a template."""
        found = self._custom_names.union(self._built_in_names, *_DRAWN.values())
        return tuple(sorted(found.difference(_DRAWN)))

    def _localise(self, language: Language, zone: tzinfo) -> _LocalisedTemplates:
        key = (language.code, zone)
        if key not in self._localised:
            presenter = Presenter(language, zone, self._now)
            self._localised[key] = _LocalisedTemplates(presenter, self._budget_of, self._folders, self._custom_dir)
        return self._localised[key]

    def _render_built_in(self, templates: _LocalisedTemplates, view: View, wishes: _Wishes) -> Card:
        try:
            template = templates.built_in.of(view)
        except TemplateNotFound as missing:
            raise ConfigurationError(f"there is no template for the card {view.card!r}") from missing
        return self._compose(template, view, wishes)

    def _render_custom(self, templates: _LocalisedTemplates, view: View, wishes: _Wishes) -> Card:
        assert templates.custom is not None
        return self._compose(templates.custom.of(view), view, wishes)

    def _compose(self, template: _CompiledTemplate, view: View, wishes: _Wishes) -> Card:
        presenter, trail = template.presenter, wishes.trail
        draft = self._fit(template, view, trail or ())
        here = ask_again(draft.view)
        welcome = template.welcome(draft, wishes.tries)
        buttons = tuple(rendered.button for rendered in draft.buttons)
        if trail is not None:
            back = presenter.show(BACK)
            asks = [None if rendered.button.text == back else rendered.ask for rendered in draft.buttons]
            buttons = lead_back(here, buttons, asks, trail, template.budget)
        buttons = template.with_spare(draft, buttons)
        title = template.line("title", draft.context, template.budget.title_bytes)
        tips = template.tips(draft)
        if wishes.read_as:
            said = presenter.show(wishes.read_as)
            tips = cut_bytes(f"{said} · {tips}" if tips else said, template.budget.tips_bytes)
        if welcome:
            tips = cut_bytes(f"{welcome} · {tips}" if tips else welcome, template.budget.tips_bytes)
        if wishes.reference:
            last = presenter.show(phrase("Reference: %(reference)s", reference=wishes.reference))
            room = template.budget.tips_bytes - len(f" · {last}".encode())
            tips = " · ".join(filter(None, (cut_bytes(tips, room), last)))
        return Card(
            name=view.card,
            language=presenter.language.code,
            title=title,
            body=draft.body,
            tips=tips,
            buttons=buttons,
            twin=partial(_twin, title, draft.lines, tips, draft.buttons, presenter),
            fields=ViewFields(draft.view, presenter),
            line=here.typed if here is not None else "",
            form=render_form(draft.view.form(), presenter),
        )

    def _fit(self, template: _CompiledTemplate, view: View, trail: Sequence[str]) -> _Draft:
        """Return the view, a list with as many rows as fit, with a body and buttons within the budget."""
        draft = self._fit_rows(template, view, trail) if isinstance(view, ListView) else template.draft(view, trail)
        if draft.fits:
            return draft
        if not draft.holds:
            budget, note = template.budget, template.presenter.show(_SHORTENED)
            draft.body = card_markdown(cut_lines(draft.lines, budget.body_bytes, note, budget.bodies))
        draft.buttons = self._affordable(template, draft, trail)
        return draft

    def _fit_rows(self, template: _CompiledTemplate, view: ListView, trail: Sequence[str]) -> _Draft:
        fitting, too_many = 1, min(len(view.rows), view.page_size)
        draft = template.draft(view.showing(too_many) if too_many < len(view.rows) else view, trail)
        if too_many <= 1 or template.holds_rows(draft):
            return draft
        room = template.budget.body_bytes * template.budget.bodies
        guess = max(1, too_many * room // max(draft.size, room + 1))
        best = None
        while fitting < too_many:
            guess = min(max(guess, fitting), too_many - 1)
            draft = template.draft(view.showing(guess), trail)
            if template.holds_rows(draft):
                best, fitting = draft, guess + 1
                guess = fitting
            else:
                too_many = guess
                guess -= 1
        return best or template.draft(view.showing(1), trail)

    def _affordable(self, template: _CompiledTemplate, draft: _Draft, trail: Sequence[str]) -> list[RenderedButton]:
        """Drop buttons: what leads elsewhere, then of a list its rows, its pages, and what comes before them.

        A document folds its rows first: their products are only beside what it is about. What it cannot fold goes
        before what leads elsewhere. What leads to the reader's own view and the way back go last.
        """
        groups, order = list(_grouped(draft, trail, template.presenter)), _DROPPED

        def fit() -> bool:
            return template.fits_buttons(list(chain.from_iterable(groups)))

        if isinstance(draft.view, ListView) and not draft.view.opens_rows and not fit():
            folded = render_buttons(lead_on(draft.view, draft.view.folded_rows()), template.presenter)
            groups[2], order = folded or groups[2], _DROPPED if folded else _DROPPED_UNFOLDED
        while not fit():
            next(group for group in order(groups) if group).pop()
        return list(chain.from_iterable(groups))


_DROPPED = itemgetter(4, 2, 3, 1, 5, 0)
"""The groups of `_grouped` in the order in which their buttons are dropped."""
_DROPPED_UNFOLDED = itemgetter(2, 4, 3, 1, 5, 0)


def _grouped(draft: _Draft, trail: Sequence[str], presenter: Presenter) -> tuple[list[RenderedButton], ...]:
    """Return the buttons in their order: to the own view, before the rows, the rows, the pages, after them, back."""
    view = draft.view
    rows, pages = (view.row_buttons(), view.page_buttons()) if isinstance(view, ListView) else ((), ())
    rows, pages = lead_on(view, rows), lead_on(view, pages)
    own, buttons, listed = own_view_buttons(view), lead_on(view, view.buttons()), (*rows, *pages)
    start = next((i for i in range(len(buttons)) if listed and buttons[i : i + len(listed)] == listed), 0)
    sizes = (len(own), start, len(rows), len(pages), len(buttons) - start - len(listed))
    wanted, left = list(with_way_back(view, (*own, *buttons), trail)), list(draft.buttons)
    groups: list[list[RenderedButton]] = []
    for size in sizes:
        count = len(render_buttons(wanted[:size], presenter))
        groups.append(left[:count])
        del wanted[:size], left[:count]
    return (*groups, left)


def _twin(title: str, lines: list[str], tips: str, buttons: Sequence[RenderedButton], presenter: Presenter) -> str:
    whole = [f"#### {title}", "", *lines]
    # Some cards write their buttons out themselves.
    written = {strip_colours(line).removeprefix("- ") for line in lines}
    whole += ["", *(f"▸ {button.twin}" for button in buttons if button.twin not in written)]
    if not whole[-1]:
        whole.pop()
    if tips:
        whole += ["", tips]
    text = plain_markdown(whole)
    if len(text.encode()) <= MAX_TWIN:
        return text
    return plain_markdown(cut_lines(whole, MAX_TWIN, presenter.show(_SHORTENED)))


def _small_files(folder: Path) -> FunctionLoader:
    def load(name: str) -> str | None:
        path = folder / name
        if path.parent != folder or not path.is_file():
            return None
        if path.stat().st_size > MAX_TEMPLATE:
            raise ValueError(f"{path} has more than {MAX_TEMPLATE} bytes")
        return path.read_text("utf-8")

    return FunctionLoader(load)


def _names_in(folder: Path) -> frozenset[str]:
    found = (path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    return frozenset(name for name in found if not name.startswith("_"))


def _why(fault: Exception) -> str:
    line = f" (line {fault.lineno})" if isinstance(fault, TemplateSyntaxError) else ""
    return f"{type(fault).__name__}: {fault}{line}"
