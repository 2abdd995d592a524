"""Identifies people and decides what they may do."""
