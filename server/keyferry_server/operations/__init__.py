"""One room per RPC. Every file reads in the same order: parse, load, decide, act, answer."""
