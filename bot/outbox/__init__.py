"""Cards that the bot owes to places: written in the transaction of the fact, sent within the budgets, never twice."""
