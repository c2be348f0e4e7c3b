"""Telemetry: subscribe, emit, unsubscribe; a leaf that costs a truth test when unused."""

from __future__ import annotations

from typing import Any

import pytest
from log_fakes import FakeExchange

from alsvid.observability.telemetry import Telemetry


def test_an_event_reaches_its_subscribers_in_order_with_its_fields() -> None:
    """Fields are passed by name."""
    told: list[Any] = []
    telemetry = Telemetry()
    telemetry.subscribe("notice", lambda **fields: told.append(("first", fields)))
    telemetry.subscribe("notice", lambda **fields: told.append(("second", fields)))
    telemetry.subscribe("other", lambda **fields: told.append("never"))
    telemetry.emit("notice", message="m")
    assert told == [("first", {"message": "m"}), ("second", {"message": "m"})]


def test_a_finished_request_is_passed_as_it_is() -> None:
    """The hot event has a tuple of its own, which is empty when nobody listens."""
    told: list[Any] = []
    telemetry = Telemetry()
    assert telemetry.request_finished == ()
    telemetry.subscribe("request_finished", told.append)
    exchange = FakeExchange()
    for subscriber in telemetry.request_finished:
        subscriber(exchange)
    assert told == [exchange]


@pytest.mark.parametrize("event", ["request_finished", "notice"])
def test_a_subscription_can_be_undone_once(event: str) -> None:
    """ValueError when there is no such subscription."""
    telemetry = Telemetry()
    told: list[Any] = []

    def subscriber(*arguments: Any, **fields: Any) -> None:
        told.append(event)

    telemetry.subscribe(event, subscriber)
    telemetry.unsubscribe(event, subscriber)
    telemetry.emit(event)
    assert telemetry.request_finished == ()
    assert told == []
    with pytest.raises(ValueError):
        telemetry.unsubscribe(event, subscriber)


@pytest.mark.parametrize("event", ["notice", "never_heard_of"])
def test_an_event_without_subscribers_is_no_error(event: str) -> None:
    """Layers emit whether somebody listens or not."""
    Telemetry().emit(event, a=1)
