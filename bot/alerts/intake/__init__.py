"""How events come in: by signed webhook, by polling, by message queue; all end in one normal form."""
