"""What a single lesson needs and nobody else: the transfer experiment, the four cases."""
