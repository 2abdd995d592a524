"""Ports for servers that other processes begin later."""

from __future__ import annotations

import random
import socket

_LOWEST, _BEYOND = 16_384, 32_768
"""Below the ports that Linux gives to those who ask for any (`ip_local_port_range`, from 32 768 on): between the choice
and the start of a server, which takes RabbitMQ ten seconds, hundreds of other servers and connections get theirs.
"""


def free_port() -> int:
    """Return a port of loopback that nothing listens on."""
    while True:
        port = random.SystemRandom().randrange(_LOWEST, _BEYOND)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
