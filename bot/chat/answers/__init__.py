"""From a message or a click to its one card in the chat, and the updates that keep that card true."""
