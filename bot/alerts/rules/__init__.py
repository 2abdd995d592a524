"""The rules that a company writes in a TOML document.

`parser` turns a document into a `rule_set`, or into all errors with their lines, and follows the file while it is
edited. `route_tree` finds an event's routes, `condition` and `expression` test it, `schedule` decides when a card may
be shown, `suppression` what is held back, and `explanation` tells what would happen.
"""
