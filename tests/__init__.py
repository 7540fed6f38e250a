"""Shows that the course keeps what it promises."""
