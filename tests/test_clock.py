"""What the log is spared."""

from igfeed.clock import RateLimit


def test_the_same_text_is_allowed_once_and_another_one_beside_it() -> None:
    limit = RateLimit(seconds=3600)

    allowed = [limit.allows(text) for text in ("no token", "no token", "no store", "no token")]

    assert allowed == [True, False, True, False]


def test_the_same_text_is_allowed_again_once_its_time_is_over() -> None:
    limit = RateLimit(seconds=0)

    assert [limit.allows("no token") for _ in range(3)] == [True, True, True]


def test_what_is_over_is_forgotten() -> None:
    limit = RateLimit(seconds=0)

    for number in range(100):
        limit.allows(f"trouble {number}")

    assert len(limit._until) == 1
