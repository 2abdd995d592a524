"""The audit log in the bot's database."""
