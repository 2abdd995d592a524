"""What operators do from the command line beside running the bot: inspect it, try rules out, send events by hand.

Each module is the body of a command and runs the bot's own code. Like the composition root it knows all packages,
and only the command line knows it.
"""
