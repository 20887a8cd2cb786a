"""Who may have the page in a frame, and who may size that frame."""

import pytest

from igfeed.widget.csp import embedded_sizing, policy

OURS = "https://feed.example"


@pytest.mark.parametrize(
    ("setting", "content"),
    [
        ("*", "allow-origins=*"),
        ("https://shop.example", "allow-origins=https://shop.example"),
        ("'self' https://shop.example", f"allow-origins={OURS} https://shop.example"),
        ("http://localhost:3000", "allow-origins=http://localhost:3000"),
        ("https://*.shop.example https://a.example", "allow-origins=*"),
        ("https:", "allow-origins=*"),
        ("shop.example", "allow-origins=*"),
        ("'none'", None),
    ],
)
def test_whoever_may_embed_may_size_the_frame(setting: str, content: str | None) -> None:
    assert embedded_sizing(setting, OURS) == content


def test_self_without_a_known_origin_becomes_everybody() -> None:
    assert embedded_sizing("'self'", None) == "allow-origins=*"


def test_without_scripts_and_videos_the_policy_has_no_rules_for_them() -> None:
    plain = policy("a{}", [], [], "*")

    assert "script-src" not in plain
    assert "connect-src" not in plain
    assert "media-src" not in plain
    assert plain.startswith("default-src 'none'; ")


def test_scripts_are_named_by_their_hashes_and_videos_by_their_origins() -> None:
    full = policy("a{}", ["1", "2"], ["https://b.example", "https://a.example"], "'self'")

    assert full.count("'sha256-") == 3
    assert "media-src https://a.example https://b.example; " in full
    assert full.endswith("frame-ancestors 'self'")
