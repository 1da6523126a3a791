"""Where the shared fixtures come from."""

pytest_plugins = ["core_fixtures", "sandbox_fixtures"]
