"""What people type: one file a command, found by `bot.chat.registry.Commands.discover`."""
