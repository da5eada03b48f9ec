"""Tests of the sandbox: the real server on a free port, real clients in front of it."""
