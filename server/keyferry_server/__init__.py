"""Keyferry's server: a self-hosted key management service for bring-your-own-key."""
