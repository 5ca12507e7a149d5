from dev.demo import progress_line


def test_a_job_that_nobody_has_seen_says_so():
    assert progress_line({}) == "not seen by the operator yet"


def test_a_running_job_shows_how_far_it_is_and_what_is_left():
    status = {
        "phase": "Running",
        "message": "1 of 1 workers active",
        "progress": {"percent": 50, "estimatedRemainingSeconds": 12, "speed": "38.2x"},
    }
    assert progress_line(status) == (
        "Running  [############............]  50 %  12 s left  at 38.2x real time"
    )


def test_a_waiting_job_says_what_it_waits_for():
    status = {"phase": "Pending", "message": "secret not found", "progress": {"percent": 0}}
    assert progress_line(status) == "Pending  secret not found"
