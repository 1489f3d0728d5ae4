"""May they: permissions, and the only way from a guarded key to a key."""
