"""An ERP whose certificate a company's own authority signed is trusted by ``ca_file`` alone."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.erp.errors import Unavailable
from bot.erp.http import Http, HttpOptions
from bot.erp.vendors import find_vendor, known_vendors


def named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def write_certificates(folder: Path) -> None:
    """Write ``authority.pem`` and, signed by it, ``server.pem`` with its key for this machine's own address."""
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    began = datetime.now(UTC) - timedelta(days=1)

    def issue(name: str, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(
            issuer_name=named("Company"),
            subject_name=named(name),
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=began,
            not_valid_after=began + timedelta(days=2),
        )
        known = (
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
        )
        for extension in (*extensions, *known):
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    root = issue("Company", authority, x509.BasicConstraints(ca=True, path_length=None), usage)
    (folder / "authority.pem").write_bytes(root)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    private = server.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + issue("erp", server, address))


@pytest.fixture
async def erp(tmp_path: Path) -> AsyncIterator[str]:
    write_certificates(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(tmp_path / "server.pem")
    app = web.Application()
    app.router.add_route("*", "/", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    (address,) = runner.addresses
    yield f"https://127.0.0.1:{address[1]}"
    await runner.cleanup()


async def _answer(_request: web.Request) -> web.Response:
    return web.json_response({"ok": True})


def client(url: str, ca_file: Path | None) -> Http:
    return Http(HttpOptions(url=url, ca_file=ca_file), now=lambda: datetime.now(UTC), source="main")


async def test_the_company_s_own_authority_is_trusted_for_reads_and_writes(erp: str, tmp_path: Path) -> None:
    http = client(erp, tmp_path / "authority.pem")
    assert (await http.read("GET", "")).data == (await http.write("POST", "")).data == {"ok": True}
    await http.close()


async def test_without_it_nothing_is_sent(erp: str) -> None:
    http = client(erp, None)
    with pytest.raises(Unavailable):
        await http.read("GET", "")
    with pytest.raises(Unavailable):
        await http.write("POST", "")
    await http.close()


def test_every_vendor_behind_http_has_the_option() -> None:
    without = {name for name in known_vendors() if "ca_file" not in find_vendor(name).options.model_fields}
    assert without & {"erpnext", "kingdee", "odoo", "rest", "sap_b1", "tryton", "yonbip"} == set()
