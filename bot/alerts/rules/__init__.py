"""The rules that a company writes in a TOML document.

`parser` makes a `rule_set` of a document, or names every error with its line, and follows the file while it is edited.
`route_tree` finds the routes of an event, `condition` and `expression` test it, `schedule` says when a card may be
shown, `suppression` what holds it back, and `explanation` what would happen.
"""
