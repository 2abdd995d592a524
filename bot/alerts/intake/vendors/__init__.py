"""Vendors' own webhooks as CloudEvents, as far as the body carries the fields of a type."""
