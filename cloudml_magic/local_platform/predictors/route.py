"""Where the requests to one endpoint go: a table that is made anew, as a whole, whenever anything changes."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from cloudml_magic.local_platform.predictors.predictor import Predictor
from cloudml_magic.local_platform.resources.models import StoredVersion


@dataclass(frozen=True, slots=True)
class Target:
    """A deployed version as a request sees it: its predictor, and what is said of it in each answer."""

    predictor: Predictor
    route: str
    version: StoredVersion
    display_name: str


@dataclass(frozen=True, slots=True)
class Route:
    """Where an endpoint's requests go: percents by target, and all targets by their ids."""

    targets: Mapping[str, Target]
    shares: tuple[tuple[str, int], ...]
    seconds: float

    def choose(self, chance: random.Random) -> Target | None:
        """One target by the traffic split; None where nothing has traffic."""
        if len(self.shares) == 1:
            return self.targets.get(self.shares[0][0])
        if not self.shares:
            return None
        ids, weights = zip(*self.shares, strict=True)
        return self.targets.get(chance.choices(ids, weights)[0])
