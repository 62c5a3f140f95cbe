"""Counts and times for Prometheus, in its text format."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Histogram:
    """How many observations lie at or below each bound."""

    def __init__(self, name: str, help: str, bounds: tuple[float, ...]) -> None:
        self._name = name
        self._help = help
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self) -> list[str]:
        lines = [f"# HELP {self._name} {self._help}", f"# TYPE {self._name} histogram"]
        total = 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            lines.append(f'{self._name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{self._name}_sum {self._sum:.6f}", f"{self._name}_count {total}"]


class Metrics:
    """What one serving process counts."""

    def __init__(self) -> None:
        self.requests: Counter[int] = Counter()
        self.seconds = Histogram("cloudml_serving_request_seconds", "Seconds per prediction request.", _SECONDS)
        self.batch_rows = Histogram("cloudml_serving_batch_rows", "Instances computed together.", _ROWS)

    def text(self, waiting_rows: int, engine: str) -> str:
        """The page that Prometheus reads."""
        lines = [
            "# HELP cloudml_serving_requests_total Prediction requests by the status of their answer.",
            "# TYPE cloudml_serving_requests_total counter",
            *(
                f'cloudml_serving_requests_total{{code="{code}"}} {count}'
                for code, count in sorted(self.requests.items())
            ),
            *self.seconds.lines(),
            *self.batch_rows.lines(),
            "# HELP cloudml_serving_queue_rows Instances that wait or are being computed.",
            "# TYPE cloudml_serving_queue_rows gauge",
            f"cloudml_serving_queue_rows {waiting_rows}",
            "# HELP cloudml_serving_engine_info What computes.",
            "# TYPE cloudml_serving_engine_info gauge",
            f'cloudml_serving_engine_info{{engine="{engine}"}} 1',
        ]
        return "\n".join(lines) + "\n"
