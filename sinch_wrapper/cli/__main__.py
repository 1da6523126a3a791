"""`python -m sinch_wrapper.cli` is the command, too."""

import sys

from sinch_wrapper.cli import main

sys.exit(main())
