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
def test_embedded_sizing_the_frame_comes_from_who_may_embed(setting: str, content: str | None) -> None:
    assert embedded_sizing(setting, OURS) == content


def test_ourselves_without_a_name_is_everybody_whom_the_policy_lets_in() -> None:
    assert embedded_sizing("'self'", None) == "allow-origins=*"


def test_without_scripts_and_videos_the_policy_does_not_speak_of_them() -> None:
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
