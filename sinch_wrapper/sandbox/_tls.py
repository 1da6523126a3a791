"""A certificate authority and a certificate, made anew for each server that speaks TLS."""

import ssl
import tempfile
from pathlib import Path

import trustme

from sinch_wrapper.sandbox._documents import hosts

_LOCAL = ("localhost", "127.0.0.1", "::1")


class LocalCertificate:
    """A certificate for *host*, this machine and the real host names.

    *context* serves with it. *path* is the file to trust (PEM): the authority that issued it. No
    private key stays on disk.
    """

    def __init__(self, host: str) -> None:
        authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        names = dict.fromkeys([host, *_LOCAL, *hosts()])
        authority.issue_cert(*names).configure_cert(self.context)
        self._folder = tempfile.TemporaryDirectory(prefix="sinch-sandbox-")
        self.path = Path(self._folder.name, "certificate.pem")
        authority.cert_pem.write_to_path(self.path)

    def close(self) -> None:
        """Delete the file."""
        self._folder.cleanup()
