"""The rules by which purchase orders may be decided from chat; all keys: docs/reference/approval-rules.md."""
