"""Carries the course elsewhere: Colab, Binder, a memory stick, a class's server, a release."""
