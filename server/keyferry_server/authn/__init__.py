"""Who is calling: what a caller shows, and how it is checked."""
