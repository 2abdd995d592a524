"""Fake servers of vendors, each holding the reference company. `bot.testing.fakes.plain` is the one to read first."""
