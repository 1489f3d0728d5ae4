"""Keyferry: key management for bring-your-own-key."""
