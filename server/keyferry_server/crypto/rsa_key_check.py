"""Checks one RSA private key: standard input holds it as DER, the exit code is the answer.

Run as a program, because the library holds the GIL while it looks for primes: 30,
90 and 210 ms for RSA_2048, RSA_3072 and RSA_4096, in which a server would answer
nobody, not even from another thread.

::

    exit code   10   the parts belong together and the factors are primes
                11   they do not, or it is no RSA private key
                *    it was not checked: Python itself ends with 0, 1 or 2
"""

import sys

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from keyferry_server.hardening import harden_process

MODULE = __name__
VALID, INVALID = 10, 11


def is_valid(private_key: bytes) -> bool:
    """Tell whether DER bytes are an RSA private key whose parts are what they should be."""
    try:
        return isinstance(load_der_private_key(private_key, password=None), RSAPrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


if __name__ == "__main__":
    harden_process()
    sys.exit(VALID if is_valid(sys.stdin.buffer.read()) else INVALID)
