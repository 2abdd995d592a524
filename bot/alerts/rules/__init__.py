"""The rules that a company writes: a TOML document that is read, explained and obeyed.

`reading` makes a `book` of a document, or says every error with its line; `tree` finds the routes of an event,
`condition` and `expression` answer what a rule asks of it, `window` and `workdays` know when a card may be shown,
`hushing` what holds it back. `file` follows the document while it is edited, `explaining` says what would happen.
"""
