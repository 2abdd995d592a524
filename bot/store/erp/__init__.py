"""Copies of what the ERPs have, in the bot's database."""
