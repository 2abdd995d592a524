"""Deliveries and counted calls in the bot's database."""
