"""Who is calling. Until callers can prove who they are, a loopback address is the only proof there is."""
