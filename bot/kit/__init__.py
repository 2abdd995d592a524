"""What develops and proves the bot: the simulator, the demo company, and the tests of adapters and commands.

Nothing of production imports it.
"""
