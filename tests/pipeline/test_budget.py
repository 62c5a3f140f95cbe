"""Money: from what a job may cost to how long it may run."""

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.budget import cost_words, longest_run, parse_amount
from cloudml_magic.records import Price

PRICE = Price(0.84, "USD", "table of 2026-07-30")


@pytest.mark.parametrize(("text", "amount"), [("5", 5.0), ("$5", 5.0), ("2.50", 2.5), (0.4, 0.4)])
def test_amounts(text: str | float, amount: float) -> None:
    """Dollars, with or without their sign."""
    assert parse_amount(text) == amount


@pytest.mark.parametrize("text", ["", "0", "-1", "five", "1e3", "5.001", "nan", "٣"])
def test_what_is_no_amount_is_said_so(text: str) -> None:
    """With examples that may be copied."""
    with pytest.raises(CloudMLError) as caught:
        parse_amount(text)
    assert str(caught.value) == (
        f"--max-cost {text!r} is no amount of money.\n"
        "  Next: Write dollars, such as --max-cost 5 or --max-cost 2.50.\n[bad-amount]"
    )


@pytest.mark.parametrize(
    ("timeout", "max_cost", "seconds"),
    [(None, None, None), (600, None, 600), (None, 0.84, 3600), (600, 0.84, 600), (7200, 0.84, 3600)],
)
def test_a_job_runs_no_longer_than_the_clock_and_the_money_allow(
    timeout: int | None, max_cost: float | None, seconds: int | None
) -> None:
    """Whichever ends first."""
    assert longest_run(timeout, max_cost, PRICE, "1 × T4 · n1-standard-8") == seconds


def test_without_a_price_no_cost_can_be_promised() -> None:
    """A limit that cannot be kept is refused."""
    with pytest.raises(CloudMLError) as caught:
        longest_run(None, 5.0, None, "8 × B200 · a4-highgpu-8g")
    assert str(caught.value) == (
        "--max-cost cannot be kept: what an hour of 8 × B200 · a4-highgpu-8g costs here is not known.\n"
        "  Next: Say how long it may run instead, such as --timeout 2h.\n[unknown-price]"
    )


def test_money_that_buys_less_than_a_minute_is_too_little() -> None:
    """The machine would hardly have started."""
    with pytest.raises(CloudMLError) as caught:
        longest_run(None, 0.01, PRICE, "1 × T4 · n1-standard-8")
    assert str(caught.value) == (
        "$0.01 buys only 42 s of 1 × T4 · n1-standard-8.\n"
        "  Why:  It costs about $0.84 an hour (table of 2026-07-30).\n"
        "  Next: Raise --max-cost, or choose a smaller machine.\n[max-cost-too-small]"
    )


def test_what_a_dry_run_says_of_money() -> None:
    """An hour's price, and the most that it can come to where there is an end."""
    assert cost_words(None, 600) == "What an hour costs is not known."
    assert cost_words(PRICE, None) == (
        "About $0.84 an hour (table of 2026-07-30). Disk, storage and traffic are not in it."
    )
    assert cost_words(PRICE, 7200) == (
        "About $0.84 an hour (table of 2026-07-30); at most $1.68 in 2 h 0 min. Disk, storage and traffic are not in it."
    )
