"""What an operator does from the command line beside running the bot: looks into it, rehearses rules, sends by hand.

Each module is the body of one command and runs the bot's own code. Like the composition root the room knows everybody,
and nobody but the command line knows it.
"""
