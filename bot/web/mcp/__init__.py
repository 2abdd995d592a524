"""The door for agents: the Model Context Protocol, over HTTP at ``/mcp`` and over stdio.

A tool is a `bot.web.mcp.tools.Tool`: a name after a task, what it takes (a Pydantic model), and a function that makes a
line of it, as people type. The line is asked as any program asks (`bot.web.api.questions`): in the name of the key's
owner, whatever a model says, through the same limits, rules, records and cuts. What comes back is the chat's text, cut
to what a model can read at once, between marks that say that it is data (`bot.web.mcp.told`).

No tool changes or decides anything. The server is the official SDK's (``dingerp[mcp]``), which is loaded when the first
agent comes; each message stands alone and shows its key. Over stdio `dingerp mcp` asks the API as a client.
"""
