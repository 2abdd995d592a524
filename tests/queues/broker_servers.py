"""The tests' own brokers: on loopback, in temporary folders."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.free_ports import free_port

STARTS_WITHIN = 180.0
"""Seconds; RabbitMQ takes several on a busy machine."""

RABBIT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
"""The program itself: Debian's wrapper on the path changes the user and the folders."""


def missing() -> list[str]:
    """Return the brokers that are not installed."""
    found = {
        "redis-server": shutil.which("redis-server"),
        "rabbitmq-server": RABBIT.exists(),
        "nats-server": _nats(),
    }
    return [name for name, there in found.items() if not there]


@contextmanager
def redis() -> Iterator[str]:
    """Start Redis and return its address."""
    port = free_port()
    with _folder() as home:
        command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home)]
        with _running(command, home, port):
            yield f"redis://127.0.0.1:{port}"


@contextmanager
def nats() -> Iterator[str]:
    """Start NATS with JetStream and return its address."""
    port = free_port()
    with _folder() as home:
        command = [str(_nats()), "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(home)]
        with _running(command, home, port):
            yield f"nats://127.0.0.1:{port}"


@contextmanager
def rabbit() -> Iterator[str]:
    """Start RabbitMQ with its own Erlang name server, and return its address."""
    port, mapper = free_port(), free_port()
    with _folder() as home:
        (home / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.file = false\n")
        (home / "plugins").write_text("[].")
        environment = {
            "RABBITMQ_NODENAME": f"dingerp{port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(home / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(home / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(home / "data"),
            "RABBITMQ_LOG_BASE": str(home),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "HOME": str(home),
        }
        try:
            with _running([str(RABBIT)], home, port, **environment):
                yield f"amqp://guest:guest@127.0.0.1:{port}"
        finally:
            # The name server outlives its nodes unless it is stopped; while another one lives, it would not listen.
            subprocess.run(
                ["epmd", "-port", str(mapper), "-kill"],
                env={**os.environ, "HOME": str(home)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
            )


def _nats() -> str | None:
    return shutil.which("nats-server") or next(
        (str(path) for path in [Path("/usr/sbin/nats-server")] if path.exists()), None
    )


@contextmanager
def _folder() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="dingerp-broker-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(command: list[str], home: Path, port: int, **environment: str) -> Iterator[None]:
    log = home / "broker.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=home, env={**os.environ, **environment}, stdout=out, stderr=out, start_new_session=True
        )
    try:
        _until_open(port, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while process.poll() is None and time.monotonic() < deadline:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the broker did not start: {log.read_text(errors='replace')[-2000:]}")
