"""What makes, computes and carries the course; nobody needs it to learn from it."""
