"""What the lessons promise: the curriculum's rows, and claims that can fail."""
