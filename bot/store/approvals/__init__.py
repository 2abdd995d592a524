"""Cases and their record in the bot's database."""
