"""A self-signed certificate, made anew for each server that speaks TLS."""

import datetime
import ssl
import tempfile
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sinch_wrapper.sandbox._documents import hosts

_LOCAL = ("localhost", "127.0.0.1", "::1")
_DAY = datetime.timedelta(days=1)
_VALID = 30 * _DAY


class Certificate:
    """A certificate for *host*, this machine and the real host names, with its key.

    *path* is the file to trust. The key does not stay on disk.
    """

    def __init__(self, host: str) -> None:
        names = list(dict.fromkeys([host, *_LOCAL, *hosts()]))
        key = ec.generate_private_key(ec.SECP256R1())
        pem = _certificate(key, names).public_bytes(serialization.Encoding.PEM)
        self._folder = tempfile.TemporaryDirectory(prefix="sinch-sandbox-")
        self.path = Path(self._folder.name, "certificate.pem")
        self.path.write_bytes(pem)
        self.tls = self._context(key)

    def close(self) -> None:
        """Delete the file."""
        self._folder.cleanup()

    def _context(self, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        # The ssl module reads keys from files alone, and this folder is open to nobody else.
        file = self.path.with_name("key.pem")
        file.write_bytes(private)
        context.load_cert_chain(self.path, file)
        file.unlink()
        return context


def _certificate(key: ec.EllipticCurvePrivateKey, names: list[str]) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sinch-wrapper sandbox")])
    now = datetime.datetime.now(datetime.UTC)
    public = key.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
    )
    # Python 3.13 and newer trust a certificate of its own maker only with all of these.
    for extension, critical in (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(), True),
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False),
    ):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
