"""What goes on beside the calls: wrapping keys made ahead, expired material wiped, the database watched."""
