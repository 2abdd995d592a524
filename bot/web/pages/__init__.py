"""Pages for people who are logged in with DingTalk: a page shows what the same person's chat with the bot would.

A page is a file of this package that makes a `bot.web.pages.visit.Page`: a path, a title where the menu has it, and a
function that answers a `Visit`. What a visit offers is all that a page needs:

``await visit.ask(line)``      the answer of a line, cut for this person (`bot.chat.answers.page_answers`): the only
                               way to figures. It counts as a question; ``offset`` and ``rows`` turn the pages of lists.
``await visit.glance(line)``   the same for fixed lines of which a page shows several: recorded, but not counted.
``visit.draw(name, **values)`` the response of ``templates/pages/<name>.html.j2``, which extends ``page.html.j2``.
                               ``{% import "parts.html.j2" as parts %}`` has the macros: ``parts.answer(shown)`` draws a
                               whole answer of `bot.web.pages.shown.show`, ``parts.buttons`` its buttons, ``parts.form``
                               the beginning of a form, with its token.
``visit.address(path, **q)``   an address of ours, with the prefix; ``visit.go(path)`` sends the browser there.
``visit.person``, ``visit.say(phrase)``, ``visit.query``, ``visit.now``

Templates escape everything; only `bot.web.pages.markup` makes markup of a card's text. A page that takes forms has a
``send`` besides, which gets the fields of a form that was proven to come from the same session; what it does, it does
by ``await visit.act(token, fields)``, as a tap on a card's button, or by a service of its own. ``needs`` names the
command whose users see the page in the menu; the page itself asks by its lines who may see what.

Pages that need more than lines are made by a function with their parts, and added in `bot.bootstrap.pages`.
"""
