"""Everything that touches a secret: the only room that imports cryptography.

``secret``            opaque bytes; ``reveal()`` is the only door
``root_key``          the key over all keys: the port and where it comes from
``sealing``           secrets at rest, sealed under the root key
``installation``      the secret of this installation and the keys derived from it
``key_material``      what the key material of each key spec is; one file per family
``key_material_id``   the name of a key material
``key_id``            key IDs as 17 bytes
``import_token``      import tokens on the wire
``ciphertext``        what Encrypt returns and Decrypt takes
``wrapping``          key material on its way in, one file per wrapping algorithm
``rsa_encryption``    RSAES-OAEP under KMS keys
``signing``           RSASSA-PSS, RSASSA-PKCS1-v1_5, ECDSA
``mac``               HMAC
``key_agreement``     ECDH
``rsa_key_check``     a program: is this RSA key what it should be

Nothing here waits or touches a network. All of it takes less than a millisecond,
except RSA: generation, and what is done with private keys of more than 2048 bits,
belongs in a thread, the validation of imported keys in a process.
"""
