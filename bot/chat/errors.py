"""The errors of questions; `bot.chat.questions.dispatcher` turns each into its card."""

from __future__ import annotations

from collections.abc import Iterable

from bot.cards.form import InputForm
from bot.cards.notices import Suggestion
from bot.erp.errors import NotFound
from bot.words.errors import DingerpError
from bot.words.phrase import Phrase


class BadArgument(DingerpError):
    """The command is known, but its arguments are not understood; ``problem`` says why.

    ``missing`` asks for an omitted argument.
    """

    def __init__(self, problem: Phrase, missing: InputForm | None = None) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.missing = missing

    def tell(self) -> Phrase:
        return self.problem


class SeveralMeant(DingerpError):
    """What was typed may mean each of several ``picks``: the lines that ask for one of them."""

    def __init__(self, picks: Iterable[Suggestion]) -> None:
        super().__init__()
        self.picks = tuple(picks)


class NothingFound(NotFound):
    """No such document or item; perhaps one of ``closest`` was meant: lines to ask instead, some with a name."""

    def __init__(self, what: str, closest: Iterable[str | Suggestion] = (), notes: tuple[Phrase, ...] = ()) -> None:
        super().__init__(what, notes=notes)
        self.closest = tuple(each if isinstance(each, Suggestion) else Suggestion(each) for each in closest)
