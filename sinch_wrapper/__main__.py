"""`python -m sinch_wrapper` is the command `sinch-wrapper` (extra: cli)."""

import sys

from sinch_wrapper.cli import main

sys.exit(main())
