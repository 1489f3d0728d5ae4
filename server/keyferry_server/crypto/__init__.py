"""Everything that touches a secret: the only room that imports cryptography.

``secret``            opaque bytes; ``reveal()`` is the only door
``root_key``          the key over all keys: the port and where it comes from
``sealing``           secrets at rest, sealed under the root key
``installation``      the secret of this installation and the keys derived from it
``key_material_id``   the name of a key material
``key_id``            key IDs as 17 bytes
``import_token``      import tokens on the wire
``ciphertext``        what Encrypt returns and Decrypt takes
``wrapping``          key material on its way in, one file per wrapping algorithm

Nothing here waits or touches a network. All of it takes microseconds, except
RSA (see ``wrapping``): generation and decryption belong in a thread.
"""
