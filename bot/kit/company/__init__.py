"""The embedded demo company: an ERP with its own data, for trying out, for tests and for the simulator.

`bot.kit.company.adapter.open_demo` opens it; importing this package alone costs nothing.
"""
