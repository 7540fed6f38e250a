"""What makes the course works, and refuses what it must."""
