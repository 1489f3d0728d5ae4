"""From messages to domain values and back: untrusted in, validated out."""
