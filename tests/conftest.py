"""Shared fixtures; nothing here leaves this machine."""

import pytest

pytest.register_assert_rewrite("snapkit.testing.contract")
