"""Questions, answers and accounts in the bot's database."""
