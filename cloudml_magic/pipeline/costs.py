"""What has been spent where jobs go, and what costs there now: deployed versions first, for nothing ends them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cloudml_magic.connection import Connection, place_of
from cloudml_magic.dialects.machines import machine_title
from cloudml_magic.pipeline.prices import machine_price
from cloudml_magic.pipeline.session import CURRENT, connection, connection_to
from cloudml_magic.records import DeployedVersion, Endpoint, JobSnapshot, Machine, Price, Target
from cloudml_magic.wording import duration, money


@dataclass(frozen=True, slots=True)
class Running:
    """Something that costs as long as it is there; `price` is None where it is not known."""

    words: str
    price: Price | None


@dataclass(frozen=True, slots=True)
class Spending:
    """What jobs have cost, how many of them have no known price, and what costs now."""

    jobs: int
    amount: float
    unpriced: int
    currency: str
    running: tuple[Running, ...]

    @property
    def per_hour(self) -> float:
        """What an hour of everything that runs costs, as far as it is known."""
        return sum(each.price.per_hour for each in self.running if each.price)

    def lines(self) -> list[str]:
        """It in words."""
        what = {0: "No job has", 1: "1 job has"}.get(self.jobs, f"{self.jobs} jobs have")
        amount = f"about {money(self.amount, self.currency)}" if self.jobs else "anything"
        unknown = f", without {self.unpriced} of unknown price" if self.unpriced else ""
        lines = [f"{what} cost {amount}{unknown}."]
        if not self.running:
            return [*lines, "Nothing costs anything now."]
        lines.append(f"What runs now costs about {money(self.per_hour, self.currency)} an hour:")
        return lines + [f"  {each.words}: {_hourly(each.price)}" for each in self.running]


def spending(jobs: Sequence[JobSnapshot], there: Connection | None = None) -> Spending | None:
    """What these jobs and the endpoints beside them cost; nothing on this machine, where nothing does."""
    there = there or connection()
    if there.place.target is Target.LOCAL:
        return None
    now = time.time()
    begun = [job for job in jobs if job.started]
    prices = {job.id: _price(job.machines, _place_of(job)) for job in begun}
    costs = [
        price.cost((job.ended or now) - (job.started or now)) for job in begun if (price := prices[job.id]) is not None
    ]
    running = [*_deployed(list(there.client.models.endpoints()), there)]
    running += [
        Running(f"job {job.name}, which has run for {duration(now - (job.started or now))}", prices[job.id])
        for job in begun
        if not job.state.is_final
    ]
    known = [price for price in prices.values() if price] + [each.price for each in running if each.price]
    return Spending(
        jobs=len(begun),
        amount=sum(cost.amount for cost in costs),
        unpriced=len(begun) - len(costs),
        currency=known[0].currency if known else "USD",
        running=tuple(running),
    )


def _place_of(job: JobSnapshot) -> Connection:
    """Prices are those of the region where it runs."""
    return connection_to(place_of(CURRENT, job.target, job.resource_name))


def _deployed(endpoints: Sequence[Endpoint], there: Connection) -> list[Running]:
    """Versions that no request reaches before the others, then the oldest."""
    held = [(endpoint, deployed) for endpoint in endpoints for deployed in endpoint.deployed]
    held.sort(key=lambda pair: (pair[1].traffic > 0, pair[1].created))
    return [Running(_held_words(endpoint, version), _version_price(version, there)) for endpoint, version in held]


def _held_words(endpoint: Endpoint, version: DeployedVersion) -> str:
    title, machine = f"{endpoint.name}/{version.version}", version.machine
    hosts = machine_title(machine) if machine else "an unknown machine"
    if version.min_replicas > 1:
        hosts = f"{version.min_replicas} machines ({hosts})"
    since = time.strftime("%d %b %H:%M", time.localtime(version.created))
    traffic = "" if version.traffic else " and without traffic"
    return f"{title} on {hosts}, deployed since {since}{traffic} (`%ml_undeploy {title}`)"


def _version_price(version: DeployedVersion, there: Connection) -> Price | None:
    return _price(((version.machine, version.min_replicas),), there) if version.machine else None


def _price(machines: Sequence[tuple[Machine, int]], there: Connection) -> Price | None:
    """What an hour of all of them costs; nothing if one is unknown."""
    prices = [machine_price(machine, there, count) for machine, count in machines]
    known = [price for price in prices if price is not None]
    if not known or len(known) < len(prices):
        return None
    first = known[0]
    return Price(sum(price.per_hour for price in known), first.currency, first.source, first.is_limit)


def _hourly(price: Price | None) -> str:
    return f"{money(price.per_hour, price.currency)} an hour" if price else "its price is not known"
