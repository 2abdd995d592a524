"""Documents that a company writes, in TOML: read with the line of each error, all errors at once, followed at run time.

`document` reads a file table by table with the readers of `values`; `followed_file` follows it while it is edited. What
the rules mean is decided by those who read them: `bot.alerts.rules`, `bot.approvals.policy`.
"""
