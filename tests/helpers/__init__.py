"""What the tests of several parts share: fixtures, fakes, servers, cases."""
