"""Which files `make quick` leaves out, and why. All of them are part of `make test`."""

from pathlib import Path

LEFT_OUT = {
    "browser": "real browsers",
    "test_alerts": "new processes",
    "test_bench": "measuring",
    "test_cold_start": "new processes",
    "test_contract": "gunicorn",
    "test_end_to_end": "gunicorn",
    "test_graceful_end": "gunicorn",
    "test_growth": "simulations",
    "test_hooks": "new processes",
    "test_hostile_content": "long searches",
    "test_never_blank": "every fault in every state",
    "test_odd_documents": "long searches",
    "test_odd_requests": "long searches",
    "test_pictures": "large pictures",
    "test_proxies": "gunicorn",
    "test_secrets": "every fault",
    "test_soak": "gunicorn",
    "test_start": "gunicorn",
    "test_token_years": "simulations",
    "test_waiting": "gunicorn",
}
"""Files of tests, or folders, with what makes them slow."""


def is_left_out(path: Path) -> bool:
    return path.stem in LEFT_OUT


def left_out_in_words() -> str:
    reasons = sorted(set(LEFT_OUT.values()))
    files = [f"{name}: {', '.join(stem for stem, why in LEFT_OUT.items() if why == name)}" for name in reasons]
    return f"Left out (make test has them): {'; '.join(files)}."
