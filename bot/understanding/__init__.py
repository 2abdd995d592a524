"""Turns a sentence into a typed command line. It knows the commands' signatures and the company's names, and never
writes.

`reader` is the entry point, and `grammar` reads a self-contained sentence: `scanning` finds its parts, `limits` what no
line can express, `lines` builds the lines. `following` reads sentences that continue the last question. The words of
commands are in `sentences`, those of the company in `vocabulary`, which `learning` learns from the ERPs.
"""
