"""The cards queued for places: written in the transaction of the fact, sent within budgets, never twice."""
