"""Events from the ERPs become alerts, and cards show them (docs/explanation/alerts.md).

From the inside out: the domain (`event`, `alert`), the ports (`repository`, `routing`), what becomes of an event
(`processing`), what people do (`actions`, `service`), and what they watch (`watch_poller`). `intake` knows only the
domain, `rules` only the domain and the port `routing`. What people read (`labels`, `views`, `view_builder`) knows only
the domain, too.
"""
