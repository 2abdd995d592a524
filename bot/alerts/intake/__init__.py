"""Ways in for events: signed webhooks, polling and message queues, all ending in one normal form."""
