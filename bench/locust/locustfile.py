"""Users that ask again as soon as they are answered; their number rises in steps.

By hand: locust -f bench/locust/locustfile.py --host http://127.0.0.1:8000. `BENCH_STEPS` holds the numbers of
users, `BENCH_STEP_S` the seconds of each step.
"""

import os

from locust import FastHttpUser, LoadTestShape, constant, task  # type: ignore[import-not-found]

STEPS = [int(users) for users in os.environ.get("BENCH_STEPS", "10,50,100,200,400,700,1000").split(",")]
STEP_S = float(os.environ.get("BENCH_STEP_S", "10"))


class Visitor(FastHttpUser):  # type: ignore[misc]
    """One user: one request at a time, no pause."""

    wait_time = constant(0)
    # Above the longest queue of the synchronous worker; what is slower is a failure.
    network_timeout = 60.0
    connection_timeout = 60.0

    @task  # type: ignore[untyped-decorator]
    def ask(self) -> None:
        self.client.get("/")


class Stairs(LoadTestShape):  # type: ignore[misc]
    """Each step holds its number of users, so that a figure belongs to a number of users."""

    def tick(self) -> tuple[int, float] | None:
        step = int(self.get_run_time() // STEP_S)
        return (STEPS[step], float(STEPS[step])) if step < len(STEPS) else None
