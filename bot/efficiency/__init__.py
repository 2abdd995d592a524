"""Figures of the company's own processes, from what the bot has recorded: how long decisions and alerts wait, and what
is asked. Pure: `bot.store.efficiency` fills and reads the tables.
"""
