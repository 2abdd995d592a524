"""What the ERP reports by itself: events come in, alerts live, cards show them (docs/explanation/alerts.md).

Everything here is told the time and the rules, and knows neither a wire, nor a table, nor a loop: the ports that it
needs are in `bot.alerts.repository`.
"""
