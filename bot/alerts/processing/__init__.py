"""From an event to alerts and cards: the loop, the stages of an event, and timers."""
