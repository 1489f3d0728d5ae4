"""AWS's wire, JSON 1.1: the same calls as over gRPC, as AWS's SDKs, command line and tools send them.

``names``      what members and enumeration values are called
``decoding``   JSON to messages
``encoding``   messages to JSON
``answers``    what goes back: an answer, or THE ONE MAPPING of refusals out to this wire
``endpoint``   the requests themselves

Everything is derived from the contract's descriptors: an operation that is in
the routes is on this wire.
"""
