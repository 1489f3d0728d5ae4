"""What RSA alone costs on this machine, in the same library: key generation on all cores, load and decrypt on one."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label=None)


def generated_per_second(bits: int, seconds: float) -> float:
    """Generate keys on all cores for that long."""
    cores = len(os.sched_getaffinity(0))
    start = time.perf_counter()

    def generate() -> int:
        count = 0
        while time.perf_counter() - start < seconds:
            rsa.generate_private_key(65537, bits)
            count += 1
        return count

    with ThreadPoolExecutor(cores) as threads:
        counts = [one.result() for one in [threads.submit(generate) for _ in range(cores)]]
    return sum(counts) / (time.perf_counter() - start)


def loaded_and_decrypted_per_second(bits: int, seconds: float) -> float:
    """Load a private key without checking it, and decrypt with it, on one core for that long."""
    key = rsa.generate_private_key(65537, bits)
    encoded = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ciphertext = key.public_key().encrypt(bytes(32), OAEP)
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        loaded = load_der_private_key(encoded, None, unsafe_skip_rsa_key_validation=True)
        assert isinstance(loaded, rsa.RSAPrivateKey)
        loaded.decrypt(ciphertext, OAEP)
        count += 1
    return count / (time.perf_counter() - start)
