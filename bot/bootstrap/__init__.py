"""Puts everything behind the stream together, from settings. With `bot.app` the only room that knows everybody."""
