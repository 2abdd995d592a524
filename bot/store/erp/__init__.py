"""Copies of ERP data in the bot's database."""
