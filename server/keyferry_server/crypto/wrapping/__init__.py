"""Key material on its way in. This file is the index: one row a wrapping algorithm.

===========================  ========================  =======
algorithm                    file                      hash
===========================  ========================  =======
RSAES_OAEP_SHA_1             ``oaep``                  SHA-1
RSAES_OAEP_SHA_256           ``oaep``                  SHA-256
RSA_AES_KEY_WRAP_SHA_1       ``rsa_aes_key_wrap``      SHA-1
RSA_AES_KEY_WRAP_SHA_256     ``rsa_aes_key_wrap``      SHA-256
===========================  ========================  =======

Each file has the same order: the layout, the steps, ``unwrap``. AWS no longer
supports RSAES_PKCS1_V1_5 (a padding oracle waiting to happen), and offers SM2PKE
in China only; both are UnsupportedOperationException. Which algorithm goes with which
key is the domain's to say (``importable_keys``).

An unwrap with a key that was just loaded takes about 0.5, 1.2 and 2.3 ms
(RSA_2048, RSA_3072, RSA_4096), half of it because it is that key's first, and
lets go of the GIL: the longer two belong in a thread.
"""

from collections.abc import Callable, Mapping
from functools import partial

from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping import oaep, rsa_aes_key_wrap
from keyferry_server.crypto.wrapping.wrapping_key import WrappingPrivateKey
from keyferry_server.domain.errors import UnsupportedOperationException
from keyferry_server.domain.key_material import WrappingAlgorithm

_UNWRAP: Mapping[WrappingAlgorithm, Callable[[WrappingPrivateKey, bytes], Secret]] = {
    WrappingAlgorithm.RSAES_OAEP_SHA_1: partial(oaep.unwrap, oaep.OAEP_SHA_1),
    WrappingAlgorithm.RSAES_OAEP_SHA_256: partial(oaep.unwrap, oaep.OAEP_SHA_256),
    WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_1: partial(rsa_aes_key_wrap.unwrap, oaep.OAEP_SHA_1),
    WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256: partial(rsa_aes_key_wrap.unwrap, oaep.OAEP_SHA_256),
}


def unwrap_key_material(
    algorithm: WrappingAlgorithm, wrapping_key: WrappingPrivateKey, encrypted: bytes
) -> Secret:
    """Unwrap what the caller wrapped; its length and meaning are for the caller to check.

    ValidationException if RSAES_OAEP is given another length than the modulus;
    InvalidCiphertextException, always the same, if it does not unwrap.
    """
    unwrap = _UNWRAP.get(algorithm)
    if unwrap is None:
        raise UnsupportedOperationException(f"The wrapping algorithm {algorithm} is not supported.")
    return unwrap(wrapping_key, encrypted)
