"""What a card says of the fields that its readers may not see, and how they get to see them."""

from __future__ import annotations

from bot.cards.presenter import Presenter
from bot.cards.view import Button, Color, View, ask_again
from bot.words.disclosure import HIDDEN, FieldClass
from bot.words.phrase import phrase

SEE_ALL = phrase("See all")
"""What the button is called that shows each reader of a shared card their own view."""


def own_view_buttons(view: View) -> tuple[Button, ...]:
    """Return the button under a shared card that shows its readers what they may see themselves.

    What not all may see comes on a card of the clicker's own. It is the next sensible step where the view has none.
    """
    question = ask_again(view) if view.shared and view.withheld else None
    if question is None:
        return ()
    leads = any(button.color is Color.BLUE for button in view.buttons())
    return (Button(SEE_ALL, question, Color.GRAY if leads else Color.BLUE),)


def withheld_note(view: View, presenter: Presenter) -> str:
    """Return why a card shows locks, and where the reader sees more; empty where it shows all."""
    if not view.withheld:
        return ""
    between = presenter.language.gettext(", ")
    what = between.join(presenter.show(each) for each in FieldClass if each in view.withheld)
    if not view.shared:
        words = phrase("You may not see: %(what)s", what=what)
    elif own_view_buttons(view):
        words = phrase("Not shown here: %(what)s. Tap “See all” or ask me in private.", what=what)
    else:
        words = phrase("Not shown here: %(what)s. Ask me in private.", what=what)
    return f"{HIDDEN} {presenter.show(words)}"
