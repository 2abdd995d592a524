"""Proposals: a program says which line it wants run and why, and its key's owner has it run, or not, with a tap."""
