"""From a message or a click to the card that appears in the chat, once, and what keeps that card true."""
