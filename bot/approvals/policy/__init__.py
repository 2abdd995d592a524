"""The rules by which documents may be decided from chat; all keys: docs/reference/approval-rules.md."""
