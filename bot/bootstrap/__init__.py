"""Assembles everything behind the stream from the settings. Only this package and `bot.app` know all others."""
