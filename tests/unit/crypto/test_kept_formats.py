"""What was written by an earlier version is read by this one, and the layouts are the documented ones."""

from datetime import datetime

from vectors.reader import read_formats

from keyferry_server.crypto.ciphertext import decrypt, parse_ciphertext
from keyferry_server.crypto.grant_token import GrantTokenCodec
from keyferry_server.crypto.import_token import ImportTokenCodec
from keyferry_server.crypto.key_material import canonicalise
from keyferry_server.crypto.key_material.pkcs8 import (
    load_kept_private_key,
    load_kept_public_key,
    to_material,
)
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.root_key.aes import AesRootKey
from keyferry_server.crypto.sealing import Place, Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.import_token import ImportToken
from keyferry_server.domain.key import KeySpec

KEPT = read_formats()


def _kept(name: str) -> bytes:
    return bytes.fromhex(KEPT[name])


def test_a_key_material_keeps_its_id() -> None:
    ids = KeyMaterialIds(Secret(_kept("installation secret")))
    assert ids.of(KEPT["key id"], Secret(_kept("material"))) == KEPT["key material id"]


def test_a_key_pair_keeps_its_id_and_is_read_from_what_was_kept() -> None:
    ids = KeyMaterialIds(Secret(_kept("installation secret")))
    pair = canonicalise(KeySpec.ECC_NIST_P256, Secret(_kept("private key")))
    assert ids.of(KEPT["key id"], pair.identity) == KEPT["key material id of the key pair"]
    assert pair.public_key == _kept("public key")
    assert to_material(load_kept_private_key(Secret(_kept("private key")))).public_key == _kept("public key")
    load_kept_public_key(_kept("public key"))


def test_a_kept_import_token_parses_and_is_issued_alike() -> None:
    codec = ImportTokenCodec(Secret(_kept("installation secret")))
    token = ImportToken(
        _kept("import token id"), KEPT["key id"], datetime.fromisoformat(KEPT["import token valid to"])
    )
    assert codec.parse(_kept("import token")) == token
    assert codec.issue(token) == _kept("import token")


def test_a_kept_grant_token_names_its_grant() -> None:
    codec = GrantTokenCodec(Secret(_kept("installation secret")))
    assert codec.parse(KEPT["grant token"]) == KEPT["grant id"]
    assert len(codec.issue(KEPT["grant id"])) == len(KEPT["grant token"])


def test_a_kept_ciphertext_decrypts() -> None:
    parsed = parse_ciphertext(_kept("ciphertext"))
    assert (parsed.key_id, parsed.key_material_id) == (KEPT["key id"], KEPT["key material id"])
    plaintext = decrypt(Secret(_kept("material")), parsed, KEPT["encryption context"])
    assert plaintext.reveal() == _kept("plaintext")


def test_a_kept_sealed_secret_unseals() -> None:
    sealer = Sealer(AesRootKey({3: Secret(_kept("root key version 3"))}))
    assert sealer.unseal(_kept("sealed material"), Place(*KEPT["sealed place"])).reveal() == _kept("material")
