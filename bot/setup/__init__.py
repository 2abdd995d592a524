"""``dingerp setup``: from an empty installation to the first answer, by pages that need no login.

`bot.setup.draft` is what was entered so far, `bot.setup.files` makes the files of it, `bot.setup.trials` asks DingTalk
and the ERP, `bot.setup.listening` hears in which groups the bot is, and `bot.setup.site` has the pages. Nothing is
written before the last page, and then all at once.
"""
