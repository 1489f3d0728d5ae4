"""What the operator's commands do beside running servers. The commands themselves only ask, and print."""
