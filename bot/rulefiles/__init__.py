"""Documents that a company writes, in TOML: read with the line of each error, all errors at once, followed at run time.

`document` reads one by `table` with the readers of `values`; `file` follows it while it is edited. What the rules
mean is the business of those who read them: `bot.alerts.rules`, `bot.approvals.policy`.
"""
