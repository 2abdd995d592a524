"""Turns a sentence into a typed command line. It knows the commands' signatures and the company's names, and never
writes.

`reader` is what the bot asks, and `grammar` reads a sentence that stands for itself: `scanning` finds what is in it,
`limits` what no line holds, `lines` makes the lines. `following` reads what goes on from the last question. The words
of commands are `sentences`, those of the company `vocabulary`, which `learning` learns from the ERPs.
"""
