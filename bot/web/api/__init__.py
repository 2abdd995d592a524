"""The API: programs ask with keys, and get what the key's owner would see in their own chat with the bot.

A request is a line, as on pages (`bot.web.pages`): it goes through the same limits, rules, records and cuts, and the
answer is the view that the chat would draw a card of. `bot.web.api.records` writes its record as JSON, and says by the
same types what the JSON looks like: so the OpenAPI file, the answers and the cards tell of the same fields, and what
is hidden from the owner is hidden in all of them.

A route is an `ApiRoute` of `bot.web.api.routes`: a method, a path, what it takes (a Pydantic model) and gives (a
schema), and a function that answers an `ApiRequest`. What a route does not take is refused. Routes of kinds of
documents are made of `bot.erp.kinds`: a new kind has its routes by itself.

Nothing here changes anything, whatever a line says, and a program decides nothing.
"""
