"""Deciding on documents from chat: who may, by which rule, once, and under the right name."""
