"""Who is calling: what a caller shows, how it is checked, and which principal it stands for."""
