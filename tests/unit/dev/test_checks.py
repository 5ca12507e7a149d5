import pytest

from dev import checks
from dev.errors import DevError


def test_a_layer_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(DevError, match="unit, contract, integration, e2e"):
        checks.test("slow")
