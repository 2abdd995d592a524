"""Logins of agents by OAuth 2.1: the bot is the server that gives tokens, and what they are good for, in one.

A client reads where to go (RFC 8414, RFC 9728), says what it is called (RFC 7591), and sends its person to the page of
consent, which is a page as any other: the person logs in with DingTalk, sees who asks for what, and taps yes or no. The
client exchanges the code that it gets for tokens (PKCE by S256, no other way), which are those of a key that belongs to
the person (`bot.access.agent_grants`).

There is none of this where there are no pages, for people could not log in.
"""
