"""Endpoints over TLS: certificates that the machine knows are believed, others are not, in one line."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from asking import answers, ask, backend_for
from faulty_server import FaultyServer

from skythought.errors import BackendError
from skythought.types import Response

if shutil.which("openssl") is None:
    pytest.skip("openssl, which makes the certificate, is not installed", allow_module_level=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 127.0.0.1, signed by itself, with its key in the same file."""
    folder = tmp_path_factory.mktemp("tls")
    key, known = folder / "key.pem", folder / "known.pem"
    names = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names)
    subprocess.run([*command, "-keyout", key, "-out", known], check=True, capture_output=True)
    known.write_text(known.read_text() + key.read_text())
    return known


def asked(certificate: Path) -> tuple[list[Response], int]:
    """The answers of a server with this certificate, and how often it was asked."""

    async def main() -> tuple[list[Response], int]:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        server = FaultyServer()
        await server.start(0, context)
        try:
            found = await answers(backend_for(server, max_retries=0), [ask("hi"), ask("ho")])
            return list(found.values()), len(server.bodies)
        finally:
            await server.close()

    return asyncio.run(main())


def test_a_known_certificate(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    responses, count = asked(certificate)
    assert sorted(response.content for response in responses) == ["re: hi", "re: ho"]
    assert count == 2


def test_an_unknown_certificate_ends_the_run_before_anything_is_sent(certificate, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(BackendError, match="certificate") as caught:
        asked(certificate)
    assert "\n" not in str(caught.value)
