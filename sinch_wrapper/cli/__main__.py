"""`python -m sinch_wrapper.cli` is the command as well."""

import sys

from sinch_wrapper.cli import main

sys.exit(main())
