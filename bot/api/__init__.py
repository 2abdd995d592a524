"""What other packages may import: `bot.api.commands` for commands, `bot.api.erps` for adapters of ERPs.

The names here are kept stable (docs/reference/plugin-api.md says how); every other module of dingerp may change at any
time. Tests of plug-ins also use `bot.kit.testing`.
"""
