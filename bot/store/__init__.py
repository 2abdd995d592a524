"""The bot's own database: SQLite for one process, PostgreSQL for many."""
