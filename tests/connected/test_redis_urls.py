"""Every kind of URL reaches a real server: plain TCP, TLS and a unix socket."""

import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.errors import ScheduleUnavailable
from bot.store.redis_check import check_server
from bot.store.redis_client import open_redis
from tests.fixtures.valkey import RealServer, find_redis


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(directory: Path, *options: str) -> Iterator[None]:
    server = RealServer(find_redis(), directory, "--bind", "127.0.0.1", *options)
    server.start()
    try:
        yield
    finally:
        server.kill()


@pytest.fixture
def directory() -> Iterator[Path]:
    """Give a directory with a short path, for the server's socket."""
    with tempfile.TemporaryDirectory(prefix="aside-test-") as name:
        yield Path(name)


def write_certificate(directory: Path) -> None:
    """Write a certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


async def test_a_redis_url_connects_over_tcp_with_a_password(directory):
    port = free_port()
    with serving(directory, "--port", str(port)):
        async with open_redis(f"redis://127.0.0.1:{port}/0") as client:
            await client.config_set("requirepass", "let me in")
        async with open_redis(f"redis://:let%20me%20in@127.0.0.1:{port}/0") as client:
            assert (await check_server(client)).product == "Redis"
        async with open_redis(f"redis://127.0.0.1:{port}/0") as client:
            with pytest.raises(ScheduleUnavailable, match="Authentication"):
                await check_server(client)


async def test_a_rediss_url_connects_over_tls_and_checks_the_certificate(directory):
    write_certificate(directory)
    port = free_port()
    certificate, key = str(directory / "cert.pem"), str(directory / "key.pem")
    files = ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate]
    with serving(directory, "--tls-port", str(port), "--tls-auth-clients", "no", *files):
        async with open_redis(f"rediss://127.0.0.1:{port}/0?ssl_ca_certs={certificate}") as client:
            assert (await check_server(client)).product == "Redis"
        async with open_redis(f"rediss://127.0.0.1:{port}/0") as client:
            with pytest.raises(ScheduleUnavailable, match="certificate"):
                await check_server(client)
