"""The bot's own memory: SQLite for one process, PostgreSQL for many."""
