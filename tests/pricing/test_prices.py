"""Prices: what the table says agrees with what Google publishes, and what is not known is not made up."""

import pytest

from cloudml_magic.pricing import PriceList, Rate, dated_table, price_of
from cloudml_magic.records import Accelerator, Cost, Price
from cloudml_magic.wording import price_words

IOWA = dated_table("us-central1")


@pytest.mark.parametrize(
    ("machine", "accelerator", "published"),
    [
        ("n1-standard-4", None, 0.21849885),  # the pricing page's own figure
        ("n1-standard-4", Accelerator("T4", 1), 0.21849885 + 0.4025),
        ("n1-standard-16", Accelerator("T4", 4), 4 * 0.21849885 + 4 * 0.4025),
        ("a3-highgpu-8g", Accelerator("H100", 8), 101.0073),  # summed from a bill, without its boot disk
    ],
)
def test_the_table_agrees_with_what_google_publishes(
    machine: str, accelerator: Accelerator | None, published: float
) -> None:
    """Compute Engine's rates and the fee make Vertex AI's prices."""
    assert IOWA.hourly(machine, accelerator, spot=False) == pytest.approx(published, rel=0.01)


def test_a_spot_machine_costs_its_own_rate_and_the_whole_fee() -> None:
    """The fee is a share of the standard rate, also where the machine is cheap."""
    assert IOWA.hourly("g2-standard-4", Accelerator("L4", 1), spot=True) == pytest.approx(
        0.397336 + 0.15 * 0.706832, abs=1e-4
    )


@pytest.mark.parametrize(
    ("machine", "accelerator", "region"),
    [
        ("a4-highgpu-8g", Accelerator("B200", 8), "us-central1"),
        ("ct5lp-hightpu-4t", Accelerator("TPU-V5E", 4), "us-central1"),
        ("n1-standard-8", Accelerator("P100", 1), "us-central1"),
        ("c9-standard-8", None, "us-central1"),
        ("n1-standard-8", Accelerator("V100", 1), "asia-south1"),
        ("n1-standard-4", None, "moon-central1"),
    ],
)
def test_what_is_not_in_the_table_has_no_price(machine: str, accelerator: Accelerator | None, region: str) -> None:
    """Unknown is said as unknown, also if only a part of the machine is."""
    assert price_of([dated_table(region)], machine, accelerator) is None


def test_the_first_list_that_knows_a_machine_is_believed() -> None:
    """Google's list of today goes before the table; where it has no spot rates the table does."""
    today = PriceList("us-central1", "USD", "price list of 2026-11-29", {"n1/vcpu": Rate(0.04), "n1/gib": Rate(0.005)})
    lists = (today, IOWA)
    assert price_of(lists, "n1-standard-4") == Price(pytest.approx(0.235), "USD", "price list of 2026-11-29")
    spot = price_of(lists, "n1-standard-4", spot=True)
    assert spot is not None and spot.source == "table of 2026-07-30"


def test_machines_of_one_family_with_their_own_rates_are_not_mixed_up() -> None:
    """An A3 Mega is not priced by the parts of an A3 High."""
    rates = {"a3/vcpu": Rate(0.03), "a3/gib": Rate(0.0025), "H100": Rate(11.0), "H200": Rate(10.0)}
    prices = PriceList("us-central1", "USD", "price list of 2026-11-29", rates)
    assert prices.hourly("a3-highgpu-8g", Accelerator("H100", 8), spot=False) == pytest.approx(98.92)
    assert prices.hourly("a3-ultragpu-8g", Accelerator("H200", 8), spot=False) is None


def test_a_price_is_said_with_its_source_and_a_limit_as_one() -> None:
    """A flexible start may cost less, so its price is said as the most that it can be."""
    price = price_of([IOWA], "g2-standard-8", Accelerator("L4", 1), flexible=True, replicas=2)
    assert price is not None
    assert price_words(price) == "at most $1.96 an hour (table of 2026-07-30)"
    assert price_words(Price(0.5, "CHF", "table of 2026-07-30")) == "about CHF 0.50 an hour (table of 2026-07-30)"


def test_a_cost_is_price_times_time() -> None:
    """Also of a clock that was set back."""
    price = Price(1.8, "USD", "table of 2026-07-30")
    assert price.cost(1800) == Cost(0.9, "USD")
    assert price.cost(-5) == Cost(0.0, "USD")
