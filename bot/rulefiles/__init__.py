"""A company's rule documents in TOML: read with the line of each error, all errors at once, followed at run time.

`document` reads a file table by table with the readers of `values`; `followed_file` follows it while it is edited. The
meaning of rules is defined by their packages: `bot.alerts.rules`, `bot.approvals.policy`.
"""
