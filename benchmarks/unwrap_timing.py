"""How long unwrapping takes by what is wrong with the key material: `make timing` prints it.

An attacker who could tell a wrong padding from a wrong key by the time of the answer
would have a padding oracle (Bleichenbacher, Manger). So for each kind of fault the time
of `unwrap_key_material` is measured, all kinds taking turns in random order, and each
kind is compared with the first by Welch's t. A magnitude of t beyond about 4.5 in run
after run is a difference that can be measured (the threshold of the TVLA method). It is
printed and not asserted: on a busy machine t is noise.

What is expected: no difference within a wrapping algorithm, but for key material that
unwraps (its bytes are copied once more, and it is no fault).
"""

import argparse
import gc
import os
import random
import statistics
import time
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_public_key

from keyferry_server.crypto.wrapping import unwrap_key_material
from keyferry_server.crypto.wrapping.wrapping_key import generate_wrapping_key_pair, load_wrapping_private_key
from keyferry_server.domain.errors import InvalidCiphertextException
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec

Fault = Callable[[], bytes]


def oaep(digest: hashes.HashAlgorithm, label: bytes | None = None) -> padding.OAEP:
    """Return OAEP, right for SHA-256 without a label."""
    return padding.OAEP(padding.MGF1(digest), digest, label)


def faults(public_key: rsa.RSAPublicKey, algorithm: WrappingAlgorithm) -> Mapping[str, Fault]:
    """Return what makes a fresh blob of each kind; the first is what the others are compared with."""
    modulus, length = public_key.public_numbers().n, public_key.key_size // 8

    def random_number() -> bytes:
        return (random.SystemRandom().randrange(2, modulus)).to_bytes(length)

    def raw(encoded: bytes) -> bytes:
        return pow(int.from_bytes(encoded), 65537, modulus).to_bytes(length)

    rsa_faults: dict[str, Fault] = {
        "random": random_number,
        "another hash": lambda: public_key.encrypt(os.urandom(32), oaep(hashes.SHA384())),
        "a label": lambda: public_key.encrypt(os.urandom(32), oaep(hashes.SHA256(), b"label")),
        "first byte not 0": lambda: raw(b"\x01" + os.urandom(length - 1)),
        "first byte 0": lambda: raw(b"\x00" + os.urandom(length - 1)),
        "PKCS#1 v1.5": lambda: public_key.encrypt(os.urandom(32), padding.PKCS1v15()),
    }
    if algorithm is WrappingAlgorithm.RSAES_OAEP_SHA_256:
        return rsa_faults

    def good(aes_key: bytes) -> bytes:
        return public_key.encrypt(aes_key, oaep(hashes.SHA256()))

    def kwp() -> bytes:
        return aes_key_wrap_with_padding(os.urandom(32), os.urandom(32))

    return {
        **{f"RSA: {name}": lambda make=make: make() + kwp() for name, make in rsa_faults.items()},
        "RSA: a key of 16 bytes": lambda: good(os.urandom(16)) + kwp(),
        "AES: another key": lambda: good(os.urandom(32)) + kwp(),
        "AES: random": lambda: good(os.urandom(32)) + os.urandom(40),
    }


def measure(algorithm: WrappingAlgorithm, spec: WrappingKeySpec, rounds: int) -> dict[str, list[float]]:
    """Return microseconds by kind of fault."""
    pair = generate_wrapping_key_pair(spec)
    private_key = load_wrapping_private_key(pair.private_key)
    public_key = load_der_public_key(pair.public_key)
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise TypeError("a wrapping key is an RSA key")
    kinds = faults(public_key, algorithm)
    times: dict[str, list[float]] = {name: [] for name in kinds}
    names = list(kinds)
    gc.disable()
    for _ in range(rounds):
        random.shuffle(names)
        for name in names:
            blob = kinds[name]()
            start = time.perf_counter_ns()
            try:
                unwrap_key_material(algorithm, private_key, blob)
            except InvalidCiphertextException:
                times[name].append((time.perf_counter_ns() - start) / 1000)
    gc.enable()
    return times


def fastest_half(values: list[float]) -> list[float]:
    """Leave out what is slow because the machine had something else to do."""
    return sorted(values)[: len(values) // 2]


def welch_t(one: list[float], other: list[float]) -> float:
    """Return how far apart two means are, in standard errors."""
    variance = statistics.variance(one) / len(one) + statistics.variance(other) / len(other)
    return (statistics.fmean(one) - statistics.fmean(other)) / variance**0.5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=2000)
    rounds = parser.parse_args().rounds
    for algorithm in (WrappingAlgorithm.RSAES_OAEP_SHA_256, WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256):
        times = {
            name: fastest_half(values)
            for name, values in measure(algorithm, WrappingKeySpec.RSA_2048, rounds).items()
        }
        reference = next(iter(times.values()))
        print(f"{algorithm} under RSA_2048, {rounds} of each, microseconds, of the fastest half")
        print(f"  {'what is wrong':28} {'median':>8} {'mean':>8} {'slowest':>8} {'t':>7}")
        for name, values in times.items():
            print(
                f"  {name:28} {statistics.median(values):8.1f} {statistics.fmean(values):8.1f} {values[-1]:8.1f} "
                f"{welch_t(values, reference):7.2f}"
            )


if __name__ == "__main__":
    main()
