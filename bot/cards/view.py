"""Views: frozen dataclasses that commands return, and the only thing a template sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self, TypeAlias, TypeVar

from bot.cards.actions import Action, Ask, with_words
from bot.cards.form import InputForm
from bot.cards.tables import Table
from bot.erp.model import DocumentRef
from bot.words.disclosure import HIDDEN, WITHHELD, FieldClass, cut
from bot.words.phrase import Phrase, phrase

Label: TypeAlias = str | Phrase
"""Text of a button: a phrase, or plain text from the ERP."""


_PREVIOUS = phrase("Previous")
_NEXT = phrase("Next")
_SURE_ROWS = 6
"""Rows that a page has even on the card of a template with a kilobyte for text and one for buttons."""


class Color(StrEnum):
    """The button colours that DingTalk knows (docs: platform/dingtalk/templates.md#buttons)."""

    BLUE = "blue"
    GRAY = "gray"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Button:
    """A typed button: ``does`` is an action, or an https link into the ERP."""

    label: Label
    does: Action | str
    color: Color = Color.GRAY
    of_all: bool = False
    """It asks about the books of all companies, also where its view is of one."""


@dataclass(frozen=True, slots=True)
class Following:
    """What a card is drawn again for, and the question that it then answers: one that changes nothing.

    ``takes_over``: the card answers it from then on for everybody who sees it, if its asker has come to it by a click.
    """

    documents: tuple[DocumentRef, ...]
    again: Ask
    takes_over: bool = False
    shows: tuple[str, ...] = ()
    """Names of the states that it shows, as `bot.approvals.case.Case.state_name` makes them. What was stored while it
    was drawn and sent, and is none of these, has it drawn again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Base of all views. ``card`` names the template ``templates/cards/<card>.md.j2``.

    ``withheld`` are the classes of what `bot.words.disclosure.cut` took out of it. ``shared``: it is drawn for
    everybody in a conversation, some of whom may see more of it.
    """

    card: ClassVar[str]
    drawn_by: ClassVar[str] = ""
    """The shared template that draws a card which has none of its own."""
    leads_back: ClassVar[bool] = True
    """Whether a card that shows it leads back to what it showed before: not for people who are refused as strangers."""
    leads_on: ClassVar[bool] = True
    """Whether a sentence that follows may go on from it."""

    tells_of_asker: ClassVar[bool] = False
    """Whether it may tell what its asker did: nobody looks at that in their place."""
    tells_documents: ClassVar[bool] = True
    """Whether it may tell of documents that its command shows: what only says no does not."""
    withheld: Annotated[frozenset[FieldClass], WITHHELD] = frozenset()
    shared: bool = False
    books: tuple[str, ...] = ()
    """The words by which a line names the books that all of it is from, where there are several: what it leads to is
    in the same ones."""
    apart: bool = False
    """There are several ERPs: what is of one says of which, also where all that is shown is of the same."""
    closed: frozenset[str] = field(default=frozenset(), compare=False)
    """Commands that would refuse its reader: nothing leads to them."""
    told_by: tuple[str, ...] = field(default=(), compare=False)
    """The sources that all of it is from, empty where they are not known: what it leads to is asked of them."""
    untold: frozenset[tuple[str, str]] = field(default=frozenset(), compare=False)
    """Each command with each source that has no answer to it: nothing leads there."""
    inherited: frozenset[str] = field(default=frozenset(), compare=False)
    """Words of its line that the asker's sentence left to the question before it."""
    instead: bool = False
    """It stands in place of what its asker wanted to be done, which was not."""

    @property
    def shows_also(self) -> tuple[str, ...]:
        """Commands whose documents it holds besides those of the command that answered with it (`Command.shows`)."""
        return ()

    @classmethod
    def made_for(cls, card: str) -> type[View] | None:
        """Return the class of views that is made for a card, where nobody wrote one; None for a card of no such."""
        return None

    @property
    def origin(self) -> str:
        """The source that it tells of, where the view itself knows no books; empty for none."""
        return ""

    def buttons(self) -> Sequence[Button]:
        """Return the buttons below the text, most wanted first."""
        return ()

    def beside(self) -> Sequence[str]:
        """Return lines whose answers stand below this one on pages, which have room for them."""
        return ()

    def spare_buttons(self) -> Sequence[Button]:
        """Return further buttons for where there is room beside all others and their way back, most wanted first."""
        return ()

    def question(self) -> Ask | None:
        """Return what asks for the same view again, None where nothing does or the reader may not see its words."""
        return None

    def table(self) -> Table | None:
        """Return its rows and columns for a file; None for anything but lists and reports."""
        return None

    def form(self) -> InputForm | None:
        """Return the form that asks for what is missing, where forms can be shown."""
        return None

    def is_for_all(self) -> bool:
        """Whether it is what a tap has made of the card, and so for all who hold it.

        Any other answer to a tap that was to do something, a question, a refusal or a failure, is for whoever tapped.
        """
        return False

    def following(self) -> Following | None:
        """Return which documents may be decided while the view is shown, so that it has to be drawn again."""
        return None


V = TypeVar("V", bound=View)


def lead_on(view: View, buttons: Iterable[Button]) -> tuple[Button, ...]:
    """Return those buttons of a view that lead its reader on; they ask in its books.

    None leads to a refusal, nor to a source that has no answer.
    """
    if view.closed or view.untold:
        buttons = [button for button in buttons if not _is_closed(button, view)]
    return tuple(_in_books(button, view.books) for button in buttons) if view.books else tuple(buttons)


def _is_closed(button: Button, view: View) -> bool:
    ask = button.does
    if not isinstance(ask, Ask) or ask.line is HIDDEN:
        return False
    command, *words = ask.line[1:].split(" ")
    if command in view.closed:
        return True
    known = {source for _, source in view.untold}
    named = [word[1:] for word in words if word[:1] == "@" and word[1:] in known]
    sources = named or (() if button.of_all else view.told_by)
    return bool(sources) and all((command, source) in view.untold for source in sources)


def ask_again(view: View) -> Ask | None:
    """Return what asks for a view again, in its books; None where nothing does."""
    ask = view.question()
    return replace(ask, line=with_words(ask.line, view.books)) if ask is not None and view.books else ask


def _in_books(button: Button, books: tuple[str, ...]) -> Button:
    ask = button.does
    if not isinstance(ask, Ask) or ask.line is HIDDEN or button.of_all:
        return button
    return replace(button, does=replace(ask, line=with_words(ask.line, books)))


def shared_view(view: V, fields: frozenset[FieldClass]) -> V:
    """Return a view as a conversation's shared card may show it; it offers each reader a look at their own view."""
    return mark_shared(cut(view, fields))


def mark_shared(view: V) -> V:
    """Return a view that is cut already, for everybody in a conversation; the same if nothing was taken out."""
    return replace(view, shared=True) if view.withheld else view


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView(View):
    """A view with rows that may not all fit: the renderer shows as many as the byte budget allows.

    ``rows`` are the rows from ``offset`` on, ``total`` counts all rows, ``line`` is the command line that
    gives this list (page buttons repeat it).
    """

    rows: tuple[Any, ...]
    total: int
    offset: int = 0
    line: str
    page_size: ClassVar[int] = 8
    opens_rows: ClassVar[bool] = True
    """Whether it is there to open one of its rows; else a row is shown even where there is no room for its button."""
    tabled: ClassVar[bool] = False
    """Whether pages show its rows as its `table` instead of the card's text."""

    def row_buttons(self) -> Sequence[Button]:
        """Return the buttons of the rows shown (picks, drill-downs); the renderer drops what does not fit."""
        return ()

    def row_lines(self) -> Sequence[str]:
        """Return the line that each row of its table leads to on pages; none where rows lead nowhere."""
        return ()

    def folded_rows(self) -> Sequence[Button]:
        """Return what a document offers in place of its rows' buttons, where there is no room for all of those."""
        return ()

    def showing(self, count: int) -> Self:
        """Return the same view with only its first ``count`` rows."""
        return replace(self, rows=self.rows[:count])

    @property
    def first(self) -> int:
        """Number of the first row shown, counted from 1."""
        return self.offset + 1

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.offset + len(self.rows)

    def question(self) -> Ask | None:
        return None if self.line is HIDDEN else Ask(self.line, self.offset)

    def page_buttons(self) -> Sequence[Button]:
        """Return the buttons that turn the page."""
        if self.line is HIDDEN:
            return ()
        pages: list[Button] = []
        if self.offset > 0:
            pages.append(Button(_PREVIOUS, Ask(self.line, max(0, self.offset - self._before))))
        if self.last < self.total:
            pages.append(Button(_NEXT, Ask(self.line, self.last)))
        return pages

    @property
    def _before(self) -> int:
        """How many rows the page before has: as many as this one, or as pages may have that come to the last."""
        shown, sure = len(self.rows), min(_SURE_ROWS, self.page_size)
        if self.last < self.total:
            return shown
        return min(max(shown, self.offset // max(1, self.offset // sure)), self.page_size)

    def buttons(self) -> Sequence[Button]:
        return (*self.row_buttons(), *self.page_buttons())
