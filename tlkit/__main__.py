"""`python -m tlkit`: the workshop without a notebook."""

import sys

from tlkit.workshop.command import main

if __name__ == "__main__":
    sys.exit(main())
