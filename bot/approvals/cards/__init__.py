"""Approval cards: views of cases, who may see which, and the replies to votes and other input."""
