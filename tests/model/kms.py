"""The model: what AWS's documents promise about a key's life, as the shortest program that keeps it.

Written from the documents and from docs/differences-from-aws.md, not from the server,
of which nothing is imported. One method for each operation takes the request's
members, by their names in the contract, and returns those of the answer, or raises
Refused. What only the service can know (an id, a ciphertext) it takes from what the
service told, and remembers. A family of operations is a file with a class; add it here.
"""

from model.imports import Imports
from model.labels import Labels
from model.rotations import Rotations
from model.usage import Usage


class Kms(Imports, Labels, Rotations, Usage):
    """All operations of a key's life."""
