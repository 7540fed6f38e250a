"""What authors of the course run; learners need none of it."""
