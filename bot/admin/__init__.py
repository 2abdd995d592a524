"""Operator commands besides running the bot: inspect it, try rules out, send events by hand.

Each module is the body of a command and runs the bot's own code. Like the composition root it may import all packages,
and only the command line imports it.
"""
