"""The provider's signing keys, and its clock. pysaml2 wants the one as files and takes the other from its own module."""

import datetime
import itertools
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import time_util


class Key:
    """An RSA key with a certificate that nobody vouches for."""

    numbers = itertools.count(1)

    def __init__(self, folder):
        self.name = f"key-{next(self.numbers)}"
        self.key_file = f"{folder}/{self.name}.key"
        self.certificate_file = f"{folder}/{self.name}.crt"
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(named)
            .issuer_name(named)
            .public_key(private.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=365))
            .sign(private, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        with open(self.key_file, "wb") as file:
            file.write(private.private_bytes(pem, form, serialization.NoEncryption()))
        with open(self.certificate_file, "wb") as file:
            file.write(certificate.public_bytes(pem))


class Keys:
    """Those that metadata lists, and the one of them that signs."""

    def __init__(self, folder):
        self.folder = folder
        self.published = [Key(folder)]
        self.signing = self.published[0]

    def roll(self, mode):
        """`add` publishes a new key, `switch` signs with the newest, `drop` publishes that one alone."""
        if mode == "add":
            self.published.append(Key(self.folder))
            return
        self.signing = self.published[-1]
        if mode == "drop":
            self.published = [self.signing]
        elif mode != "switch":
            raise ValueError(f"no such mode: {mode}")


class Clock:
    """What pysaml2 takes for the time: ours, this many seconds later."""

    offset = 0

    def now(self, zone=None):
        return datetime.datetime.now(zone) + datetime.timedelta(seconds=self.offset)

    def gmtime(self, seconds=None):
        return time.gmtime(time.time() + self.offset if seconds is None else seconds)

    def __getattr__(self, name):
        return getattr(time, name)


clock = Clock()
time_util.time = clock
time_util.datetime = clock
