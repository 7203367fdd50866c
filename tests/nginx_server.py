"""A real nginx for the tests, with what docs/deployment.md tells an operator to write down."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dev

START_LIMIT_S = 20.0

_AROUND = """
{user}
worker_processes 2;
pid {folder}/nginx.pid;
error_log {folder}/error.log notice;
events {{ worker_connections 1024; }}
http {{
    log_format asked '$status $request_uri $upstream_addr';
    access_log {folder}/access.log asked;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {documented}
}}
"""


def documented_blocks() -> list[str]:
    """The nginx texts of the page: the server; what stands beside it with replicas; what its location is given then."""
    text = (dev.ROOT / "docs" / "deployment.md").read_text("utf-8")
    return re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)


def for_one() -> str:
    """The documented configuration for one replica."""
    return documented_blocks()[0]


def for_replicas() -> str:
    """The documented configuration for two: as the page says, two texts added and one line replaced by the third."""
    server, beside, location = documented_blocks()
    line = re.compile(r"^ *proxy_pass http://127\.0\.0\.1:8501;.*\n", re.MULTILINE)
    changed, count = line.subn(lambda _: location, server)
    assert count == 1, "the page has no line that the replicas' one can replace"
    return beside + changed


@dataclass(frozen=True, slots=True)
class Nginx:
    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    def asked(self) -> list[str]:
        """What was asked and is over, in order: status, path, and the replicas tried."""
        return (self.folder / "access.log").read_text(errors="replace").splitlines()


@contextmanager
def nginx_server(
    program: str, folder: Path, documented: str, ports: Mapping[int, int], port: int | None = None
) -> Iterator[Nginx]:
    """nginx with the documented text, while the block lasts; `ports` says which stands for 8501 and so on.

    It shows itself over TLS on a loopback port, with a certificate nobody has signed.
    """
    folder.mkdir()
    port = port or free_port()
    certificate = make_certificate(folder)
    replaced = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "/etc/ssl/certs/example.org.pem": str(certificate),
        "/etc/ssl/private/example.org.key": str(certificate),
        "example.org": "127.0.0.1",
        **{f":{old}": f":{new}" for old, new in ports.items()},
    }
    for old, new in replaced.items():
        assert old in documented, f"{old!r} is not in the documented configuration"
        documented = documented.replace(old, new)
    user = "user root;" if os.geteuid() == 0 else ""  # its workers write into a folder that is nobody else's
    configuration = folder / "nginx.conf"
    configuration.write_text(_AROUND.format(user=user, folder=folder, documented=documented))
    process = subprocess.Popen(
        [program, "-p", folder, "-e", folder / "start.log", "-c", configuration, "-g", "daemon off;"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # what it says there is in the log, too
    )
    try:
        _wait(process, port, folder)
        yield Nginx(port, folder, process)
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make_certificate(folder: Path) -> Path:
    """A key and its certificate for 127.0.0.1 in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _wait(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    give_up_at = time.monotonic() + START_LIMIT_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > give_up_at:
                said = "".join(log.read_text(errors="replace") for log in folder.glob("*.log"))
                raise RuntimeError(f"nginx did not start:\n{said}") from None
            time.sleep(0.02)
        else:
            return
