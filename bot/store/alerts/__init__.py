"""Events, alerts and subscriptions in the bot's database."""
