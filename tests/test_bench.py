"""What the benches say can be believed: they read others rightly, count everything and pass nothing that is missed."""

import os
import subprocess
import sys
import time

import pytest
from PIL import Image

from lab.bench import busy, process
from lab.bench.busy import Moment, others, worked
from lab.bench.cron import Case, played, show
from lab.bench.load import read
from lab.bench.pictures import made_up, opened, ssim
from lab.bench.report import table
from lab.bench.rows import QUIET, Row, ratio
from tests.servers.instagram import FakeInstagram, album, child_image, image, jpeg

SAID = """Running 2s test @ http://127.0.0.1:8000/embed
  1 threads and 64 connections
  Latency Distribution
     50%    9.31ms
     99%    1.07s
  17702 requests in 2.01s, 228.45MB read
{failure}Requests/sec:   8807.96
Transfer/sec:    113.66MB
"""
STEADY = ([1.0, 1.0, 1.0], [1.0, 1.0, 1.0])


def test_views_their_rate_and_the_slowest_hundredth_are_read_from_wrk() -> None:
    result = read(SAID.format(failure=""))

    assert (result.views, result.failed, result.per_second, result.p99) == (17702, 0, 8807.96, 1070.0)


def test_every_kind_of_failure_counts() -> None:
    failure = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"

    assert read(SAID.format(failure=failure)).failed == 15


@pytest.mark.parametrize(
    ("a", "goal", "held"),
    [(1.4, "≥ 1.4 ×", True), (1.39, "≥ 1.4 ×", False), (1.0, "≤ 1.0 ×", True), (1.01, "≤ 1.0 ×", False)],
)
def test_a_goal_is_held_at_its_edge_and_missed_beyond(a: float, goal: str, held: bool) -> None:
    assert ratio("it", [a] * 3, [1.0] * 3, STEADY, goal).held is held


@pytest.mark.parametrize("odd", [0.1, 9.0])
def test_one_odd_round_changes_neither_the_figure_nor_the_verdict(odd: float) -> None:
    row = ratio("it", [2.0, 2.0, odd], [1.0, 1.0, 1.0], STEADY, "≥ 1.4 ×")

    assert (row.figure, row.held) == ("2.00 ×", True)


def test_the_noise_is_what_one_thing_measures_against_itself() -> None:
    row = ratio("it", [2.0] * 3, [1.0] * 3, ([1.0, 1.1, 0.9], [1.0, 1.0, 1.0]))

    assert row.noise == "0.90 to 1.10 ×"


def test_what_is_missed_is_said_in_the_table() -> None:
    missed = ratio("it", [1.0] * 3, [1.0] * 3, STEADY, "≥ 1.4 ×")

    assert "**missed**" in table(Row.HEAD, [missed.cells()])


MISSED = ratio("it", [1.0] * 3, [1.0] * 3, STEADY, "≥ 1.4 ×")


@pytest.mark.parametrize(("others", "verdict"), [(QUIET, "**missed**"), (QUIET + 0.01, "busy, others had 6%")])
def test_what_was_measured_while_others_had_the_machine_is_not_called_missed(others: float, verdict: str) -> None:
    said = MISSED.measured_while(others).cells()[-1]

    assert said.startswith("≥ 1.4 ×: ")
    assert verdict in said
    assert ("missed" in said) is (others <= QUIET)


def test_what_was_measured_in_too_much_noise_is_not_called_missed() -> None:
    noise = ([1.0, 1.3, 0.7], [1.0, 1.0, 1.0])

    row = ratio("it", [1.0] * 3, [1.0] * 3, noise, "≥ 1.4 ×").measured_while(0.0)

    assert row.cells()[-1] == "≥ 1.4 ×: not known, but the noise was too wide"


def test_what_is_held_on_a_busy_machine_is_held_with_a_word_about_that() -> None:
    row = ratio("it", [2.0] * 3, [1.0] * 3, STEADY, "≥ 1.4 ×").measured_while(0.5)

    assert row.cells()[-1] == "≥ 1.4 ×: held, but the machine was busy, others had 50% of it"


def test_what_is_counted_is_missed_on_a_busy_machine_too() -> None:
    row = Row("store commands", "3 and 0", "exact", "0 and 0", held=False).measured_while(0.9)

    assert row.cells()[-1] == "0 and 0: **missed**"


def test_others_have_what_is_neither_idle_nor_ours() -> None:
    before = Moment(work=100.0, own=40.0, at=7.0, processors=2)
    after = Moment(work=116.0, own=52.0, at=17.0, processors=2)

    assert others(before, after) == pytest.approx(0.2)


def test_work_is_what_was_done_for_processes_and_what_was_taken_by_other_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "sysconf", lambda _: 100)

    #               user nice system idle iowait irq softirq steal guest guest_nice
    assert worked("cpu  100 200 300 9000 9000 9000 9000 400 9000 9000") == 10.0


def test_what_our_own_processes_do_is_not_others() -> None:
    before = busy.now()
    subprocess.run([sys.executable, "-c", SPIN], check=True)
    after = busy.now()

    assert after.own - before.own >= 0.3
    assert after.work - before.work >= 0.2  # The system rounds each processor's to hundredths.


SPIN = "import time\nwhile time.process_time() < 0.3: pass"


def test_a_table_has_a_rule_beneath_its_head() -> None:
    assert table(["a", "b"], [["1", "2"]]).splitlines() == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


def test_a_process_had_more_memory_than_it_has_once_some_of_it_is_gone() -> None:
    pid, before = os.getpid(), process.memory(os.getpid())

    large = bytearray(b"x") * (64 * 1024 * 1024)
    del large

    assert process.most_memory(pid) >= before + 60 * 1024
    assert process.memory(pid) < before + 30 * 1024


def test_the_processor_time_of_a_process_is_what_it_says_itself() -> None:
    assert process.processor_seconds(os.getpid()) == pytest.approx(time.process_time(), abs=0.1)


def test_the_cron_is_played_from_an_empty_store_until_all_is_kept() -> None:
    case = Case("a post and an album", [image(), album([child_image(), child_image()])], 2)

    (_, (first,)), (_, (second,)) = played([case], [jpeg("1", (320, 400))], rounds=1)

    assert (case.files, first.stored, first.left) == (15, 15, 0)
    assert (second.stored, second.kept, second.left) == (0, 15, 0)


def test_every_picture_that_the_cron_fetches_is_a_photograph() -> None:
    instagram, post, child = FakeInstagram(), image(), child_image()

    show(instagram, [post, album([child])], [b"one", b"two"])

    assert {picture_id: reply.body for picture_id, reply in instagram.pictures.items()} == {
        "profile": b"one",
        post["id"]: b"two",
        child["id"]: b"one",
    }


def test_a_picture_is_wholly_like_itself() -> None:
    photograph = opened(made_up("dunes"))

    assert ssim(photograph, photograph) == pytest.approx(1, abs=1e-6)


def test_two_plain_greys_are_as_alike_as_the_formula_says() -> None:
    grey, lighter = (Image.new("L", (64, 64), brightness) for brightness in (100, 120))

    assert ssim(grey, lighter) == pytest.approx((2 * 100 * 120 + 2.55**2) / (100**2 + 120**2 + 2.55**2))


def test_a_picture_is_the_less_like_another_the_more_it_differs() -> None:
    plain = Image.linear_gradient("L")
    little, much = (Image.blend(plain, Image.effect_noise(plain.size, 60), share) for share in (0.1, 0.4))

    assert 1 > ssim(plain, little) > ssim(plain, much) > 0
    assert ssim(plain, much) == pytest.approx(ssim(much, plain))
