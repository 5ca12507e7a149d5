from decimal import Decimal

import pytest

from transcription_api.resources import amount_of


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [
        ("2", "2"),
        ("0.0", "0"),
        (".5", "0.5"),
        ("-4", "-4"),
        ("1500m", "1.5"),
        ("250u", "0.00025"),
        ("1k", "1000"),
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("2G", "2000000000"),
        ("1E", "1000000000000000000"),
        ("1Ei", "1152921504606846976"),
        ("1e3", "1000"),
        ("12E-2", "0.12"),
    ],
)
def test_a_quantity_is_a_number_as_kubernetes_reads_it(quantity: str, amount: str):
    assert amount_of(quantity) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "much", "1 Gi", "1GB", "4ki", "1K", "1e999999999", "١"])
def test_what_is_no_quantity_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a Kubernetes quantity"):
        amount_of(text)
