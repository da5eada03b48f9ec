"""The adapters' tests share the suites; the services behind them are the `sandbox` of all tests."""

import pytest

from tests.conftest import Sandbox

__all__ = ["Sandbox"]

pytest.register_assert_rewrite("tests.adapters.archive_conformance")
pytest.register_assert_rewrite("tests.adapters.source_conformance", "tests.adapters.source_harness")
