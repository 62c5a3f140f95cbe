"""Jobs as real processes: what runs, what it sees, how it ends, and that nothing of it stays."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cloudml_magic.local_platform.buckets.listing import Selection, list_objects
from cloudml_magic.local_platform.buckets.store import BucketStore
from cloudml_magic.local_platform.database import Database
from cloudml_magic.local_platform.jobs import process_table
from cloudml_magic.local_platform.jobs.supervision import assignment, start_supervisor, tell
from cloudml_magic.states import JobState
from tests.long_counts import within

from .conftest import IMAGE, Bench, container


def alive(marker: str) -> list[int]:
    """Processes whose command line holds the marker."""
    found = []
    for name in (path.name for path in Path("/proc").iterdir()):
        try:
            if name.isdigit() and int(name) != os.getpid():
                command = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ")
                if (
                    marker.encode() in command
                    and Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
                ):
                    found.append(int(name))
        except OSError:
            continue
    return found


def test_a_job_passes_all_states_and_its_output_is_kept(bench: Bench) -> None:
    """QUEUED, PREPARING, RUNNING, SUCCEEDED, in this order, with times and both streams in the log."""
    job = bench.run(container("sh", "-c", "echo to out; echo to err >&2"))
    assert bench.store.passed[job.id] == [JobState.QUEUED, JobState.PREPARING, JobState.RUNNING, JobState.SUCCEEDED]
    assert job.started is not None and job.ended is not None and job.ended >= job.started
    assert sorted(bench.log(job.id).splitlines()) == ["to err", "to out"]
    index = [line.split() for line in (bench.replica(job.id) / "output.index").read_text().splitlines()]
    assert sorted(stream for _, _, stream in index) == ["1", "2"]
    assert int(index[0][1]) == 0


def test_a_job_sees_what_vertex_sets_and_nothing_of_the_platform(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """AIP_* are paths of the bucket's folder; `$(NAME)` expands; the platform's own variables are gone."""
    monkeypatch.setenv("CLOUDML_TOKEN", "not for jobs")
    code = "import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:], os.getcwd()]))"
    body = container("python3", "-c", code, "$(CLOUD_ML_JOB_ID)", "$$(HOME)", env={"A": "1", "B": "$(A)2"})
    job = bench.run(body)
    environment, arguments, folder = json.loads(bench.log(job.id))
    base = bench.buckets / "bucket" / "jobs" / "one"
    assert environment["AIP_MODEL_DIR"] == f"{base}/model/"
    assert environment["AIP_CHECKPOINT_DIR"] == f"{base}/checkpoints/"
    assert environment["AIP_TENSORBOARD_LOG_DIR"] == f"{base}/logs/"
    assert environment["CLOUD_ML_JOB_ID"] == job.id
    assert environment["B"] == "12"
    assert "CLOUDML_TOKEN" not in environment
    assert "TF_CONFIG" not in environment
    assert json.loads(environment["CLUSTER_SPEC"])["task"]["type"] == "workerpool0"
    assert arguments == [job.id, "$(HOME)"]
    assert folder == str(bench.replica(job.id) / "work")


def test_python_and_pip_are_this_interpreter_also_in_a_shell(bench: Bench) -> None:
    """A job's `python3` is the platform's own Python, and what its pip installs stays in the job."""
    job = bench.run(container("sh", "-c", "python -c 'import sys; print(sys.executable)'; echo $PIP_TARGET"))
    assert bench.log(job.id).splitlines() == [sys.executable, str(bench.replica(job.id) / "pip")]


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        pytest.param(
            ("sh", "-c", "echo last words; exit 3"),
            3,
            "The replica workerpool0-0 exited with a non-zero status of 3. Termination reason: Error. \nlast words",
            id="exit-3",
        ),
        pytest.param(
            ("python3", "-c", "import no_such_module"),
            3,
            "The replica workerpool0-0 exited with a non-zero status of 1. Termination reason: Error. \n"
            'Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n'
            "ModuleNotFoundError: No module named 'no_such_module'\n"
            "Add no_such_module to what the package requires (--requires no_such_module).",
            id="missing-module",
        ),
        pytest.param(
            ("sh", "-c", "kill -SEGV $$"),
            3,
            "The replica workerpool0-0 exited with a non-zero status of 139. Termination reason: SIGSEGV.",
            id="segfault",
        ),
        pytest.param(
            ("no-such-command",),
            3,
            "The replica workerpool0-0 could not be started. no-such-command: No such file or directory",
            id="not-found",
        ),
    ],
)
def test_a_failed_job_says_why(bench: Bench, command: tuple[str, ...], code: int, message: str) -> None:
    """The message is Google's sentence, then the end of the log that tells why."""
    job = bench.run(container(*command))
    assert job.state is JobState.FAILED
    assert job.error == (code, message)


def test_a_kill_is_told_as_one(bench: Bench) -> None:
    """SIGKILL that the platform did not send is most likely want of memory: said so, with what to do."""
    job = bench.run(container("sh", "-c", "kill -9 $$"))
    assert job.error is not None
    code, message = job.error
    assert code == 8
    assert message.startswith("The replica workerpool0-0 ")
    assert "SIGKILL" in message and "memory" in message and "batch_size" in message


def test_a_timeout_ends_the_job(bench: Bench) -> None:
    """`scheduling.timeout` counts from the start."""
    began = time.monotonic()
    job = bench.run(container("sleep", "60.125", timeout="0.5s"))
    assert job.error is not None and job.error[0] == 4 and "timeout" in job.error[1]
    assert time.monotonic() - began < within(5)
    assert not alive("60.125")


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("sleep 61.{n}", id="plain"),
        pytest.param("trap '' TERM; while true; do sleep 61.{n}; done", id="ignores-term"),
        pytest.param(
            "setsid sh -c 'trap \"\" TERM; sleep 61.{n}; sleep 61.{n}' & sleep 61.{n}", id="setsid-grandchild"
        ),
        pytest.param("(nohup sleep 61.{n} >/dev/null 2>&1 &); (nohup sleep 61.{n} &); sleep 61.{n}", id="daemons"),
    ],
)
def test_cancel_leaves_nothing(bench: Bench, script: str) -> None:
    """However its processes hide, within five seconds none is left and the job is CANCELLED."""
    marker = f"61.{time.time_ns() % 10**9}"
    id = bench.submit(container("sh", "-c", "echo ready; " + script.replace("61.{n}", marker)))
    bench.wait_for_log(id, "ready")
    began = time.monotonic()
    bench.runner.cancel(id)
    job = bench.wait(id)
    assert time.monotonic() - began < within(5)
    assert job.state is JobState.CANCELLED
    assert not alive(marker)
    assert bench.store.passed[id][-2:] == [JobState.CANCELLING, JobState.CANCELLED]


def test_a_job_that_leaves_children_ends_with_them(bench: Bench) -> None:
    """What a job forks and leaves behind does not outlive it."""
    marker = f"62.{time.time_ns() % 10**9}"
    job = bench.run(container("sh", "-c", f"setsid sleep {marker} & (sleep {marker} &); exit 0"))
    assert job.state is JobState.SUCCEEDED
    assert not alive(marker)


def test_an_end_is_noticed_at_once(bench: Bench) -> None:
    """From the process's last word to the final state it takes no poll."""
    waits = []
    for _ in range(5):
        job = bench.run(container("python3", "-I", "-S", "-c", "import time; print(time.time(), flush=True)"))
        assert job.ended is not None
        waits.append(job.ended - float(bench.log(job.id)))
    assert min(waits) < 0.1


def test_jobs_wait_in_order_and_know_their_position(bench: Bench, tmp_path: Path) -> None:
    """Two run at once; the others wait, first come first served; a waiting one is cancelled at once."""
    gate = tmp_path / "gate"
    wait = container("sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.02; done")
    ids = [bench.submit(wait) for _ in range(5)]
    for id in ids[:2]:
        bench.wait(id, JobState.RUNNING)
    assert [bench.runner.position(id) for id in ids] == [None, None, 1, 2, 3]
    bench.runner.cancel(ids[2])
    assert bench.store.all[ids[2]].state is JobState.CANCELLED
    assert [bench.runner.position(id) for id in ids[3:]] == [1, 2]
    gate.touch()
    for id in (ids[0], ids[1], *ids[3:]):
        assert bench.wait(id).state is JobState.SUCCEEDED


def test_a_gpu_asked_for_where_there_is_none_is_a_note(bench: Bench) -> None:
    """The job runs on the CPU, and its note and its log say so."""
    job = bench.run(container("true", acceleratorType="NVIDIA_TESLA_T4", acceleratorCount=1))
    if bench.runner._capacity.gpus:
        pytest.skip("this machine has a GPU")
    text = "The job asks for 1 × NVIDIA_TESLA_T4, but this machine has no GPU: it trains on the CPU."
    assert job.state is JobState.SUCCEEDED
    assert job.note == text
    assert bench.log(job.id) == text + "\n"


def test_several_replicas_know_each_other(bench: Bench) -> None:
    """TF_CONFIG names every replica at a loopback port; the job is over with its chief."""
    code = "import os; print(os.environ['TF_CONFIG'])"
    body = container("python3", "-c", code)
    worker = {
        "replicaCount": 2,
        "containerSpec": {"imageUri": IMAGE, "command": ["python3", "-c", code + "; import time; time.sleep(60)"]},
    }
    body["jobSpec"]["workerPoolSpecs"].append(worker)
    job = bench.run(body)
    assert job.state is JobState.SUCCEEDED
    config = json.loads(bench.log(job.id))
    assert config["task"]["type"] == "chief"
    assert [len(config["cluster"][role]) for role in ("chief", "worker")] == [1, 2]
    assert all(address.startswith("127.0.0.1:") for address in config["cluster"]["worker"])


def test_a_job_outlives_the_platform_and_is_adopted(bench: Bench, tmp_path: Path) -> None:
    """The next platform takes up a job whose process lives, and learns how it ended."""
    gate = tmp_path / "gate"
    id = bench.submit(container("sh", "-c", f"echo up; while [ ! -e {gate} ]; do sleep 0.02; done; echo down; exit 4"))
    bench.wait_for_log(id, "up")
    bench.runner.close()
    bench.runner = bench.new_runner()
    bench.runner.start()
    assert bench.store.all[id].state is JobState.RUNNING
    gate.touch()
    job = bench.wait(id)
    assert job.error is not None and "non-zero status of 4" in job.error[1]
    assert bench.log(id) == "up\ndown\n"


def test_a_job_that_ended_meanwhile_is_told_truly(bench: Bench) -> None:
    """No platform was there when it ended: its exit file tells."""
    id = bench.submit(container("sh", "-c", "echo up; sleep 0.3"))
    bench.wait_for_log(id, "up")
    bench.runner.close()
    deadline = time.monotonic() + 10
    while not (bench.replica(id) / "exit.json").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    bench.runner = bench.new_runner()
    bench.runner.start()
    assert bench.wait(id).state is JobState.SUCCEEDED


@pytest.mark.parametrize("told", [True, False])
def test_a_supervisor_that_was_just_told_is_waited_for(bench: Bench, tmp_path: Path, told: bool) -> None:
    """The platform died while it started the job: the next one starts at once, and the job runs once."""
    command = ["sh", "-c", f"echo ran >> {tmp_path / 'mark'}"]
    bench.runner.close()
    id = bench.store.add(container(*command), JobState.PREPARING)
    folder = bench.replica(id)
    (folder / "work").mkdir(parents=True)
    supervisor = start_supervisor(folder / "supervisor.log")
    bench.runner = bench.new_runner()
    began = time.monotonic()
    bench.runner.start()
    assert time.monotonic() - began < within(2)
    time.sleep(0.2)
    assert bench.store.all[id].state is JobState.PREPARING
    if told:
        tell(supervisor, assignment(folder, command, dict(os.environ)))
    else:
        assert supervisor.stdin is not None
        supervisor.stdin.close()
    assert bench.wait(id).state is JobState.SUCCEEDED
    assert (tmp_path / "mark").read_text() == "ran\n"
    supervisor.wait()


def test_a_job_whose_replicas_were_not_all_started_is_lost(bench: Bench) -> None:
    """The platform died between two replicas: what runs is ended, the job is FAILED."""
    bench.runner.close()
    marker = f"64.{time.time_ns() % 10**9}"
    body = container("sleep", marker)
    pools = body["jobSpec"]["workerPoolSpecs"]
    id = bench.store.add({**body, "jobSpec": {**body["jobSpec"], "workerPoolSpecs": pools * 2}}, JobState.PREPARING)
    folder = bench.replica(id)
    (folder / "work").mkdir(parents=True)
    supervisor = start_supervisor(folder / "supervisor.log")
    tell(supervisor, assignment(folder, ["sleep", marker], dict(os.environ)))
    deadline = time.monotonic() + 30
    while not alive(marker) and time.monotonic() < deadline:
        time.sleep(0.01)
    bench.runner = bench.new_runner()
    bench.runner.start()
    job = bench.wait(id)
    assert job.error is not None and "workerpool1-0 was lost" in job.error[1]
    assert not alive(marker)
    supervisor.wait()


def test_after_a_restart_of_the_machine_jobs_are_failed_with_this_reason(bench: Bench) -> None:
    """Another boot id means that no process of then lives, whatever its number is now."""
    id = bench.store.add(container("true"), JobState.RUNNING)
    folder = bench.replica(id)
    folder.mkdir(parents=True)
    stranger = {"pid": os.getpid(), "started": process_table.start_time(os.getpid()), "boot": "another"}
    (folder / "process.json").write_text(json.dumps(stranger))
    bench.runner.close()
    bench.runner = bench.new_runner()
    bench.runner.start()
    job = bench.wait(id)
    assert job.error == (10, "The machine restarted while the job ran. Submit the job again.")


def test_a_reused_process_number_is_no_job_of_ours(bench: Bench) -> None:
    """The same number with another start time is a stranger: it is not signalled, the job is lost."""
    id = bench.store.add(container("true"), JobState.RUNNING)
    folder = bench.replica(id)
    folder.mkdir(parents=True)
    stranger = {"pid": os.getpid(), "started": 1, "boot": process_table.boot_id()}
    (folder / "process.json").write_text(json.dumps(stranger))
    bench.runner.close()
    bench.runner = bench.new_runner()
    bench.runner.start()
    job = bench.wait(id)
    assert job.error is not None and job.error[0] == 13 and "was lost" in job.error[1]


def test_a_killed_supervisor_takes_its_job_along(bench: Bench) -> None:
    """Nobody would watch it any more: the job is FAILED with this reason and no process stays."""
    marker = f"63.{time.time_ns() % 10**9}"
    id = bench.submit(container("sh", "-c", f"echo up; setsid sleep {marker} & sleep {marker}"))
    bench.wait_for_log(id, "up")
    pid = json.loads((bench.replica(id) / "process.json").read_text())["pid"]
    os.kill(pid, signal.SIGKILL)
    job = bench.wait(id)
    assert job.error is not None and "was lost" in job.error[1]
    deadline = time.monotonic() + 30
    while alive(marker) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(marker)


def test_secrets_are_masked_in_the_log(bench: Bench) -> None:
    """Also where the value is printed in two pieces."""
    code = (
        "import os, sys, time; s = os.environ['KEY']\n"
        "sys.stdout.write('a ' + s[:4]); sys.stdout.flush(); time.sleep(0.1); print(s[4:] + ' b'); print('c', s[:4])"
    )
    job = bench.run(container("python3", "-c", code, env={"KEY": "opensesame", "CLOUDML_SECRETS": "KEY"}))
    assert bench.log(job.id) == "a ******** b\nc open\n"


def test_a_flood_of_output_keeps_its_ends_and_ends_quickly(bench: Bench) -> None:
    """300 MB of output: the log is bounded, begins and ends as the output did, and says what is left out."""
    code = (
        "import os\nos.write(1, b'first\\n')\nfor _ in range(300): os.write(1, b'x' * 999_999 + b'\\n')\nprint('last')"
    )
    began = time.monotonic()
    job = bench.run(container("python3", "-c", code))
    assert job.state is JobState.SUCCEEDED
    assert time.monotonic() - began < 30
    content = (bench.replica(job.id) / "output.log").read_bytes()
    assert len(content) < (128 << 20) + 2_000_000
    assert content.startswith(b"first\nx") and content.endswith(b"x\nlast\n")
    assert b"bytes of output are left out here" in content


def test_names_and_bytes_of_any_kind_pass_through(bench: Bench) -> None:
    """Emoji, NULs and invalid UTF-8 in the output are kept as they came."""
    job = bench.run(container("python3", "-c", "import os; os.write(1, 'é🎉'.encode() + b'\\0\\xff\\n')"))
    assert (bench.replica(job.id) / "output.log").read_bytes() == "é🎉".encode() + b"\0\xff\n"


def test_deleting_a_job_frees_its_files_and_not_its_results(bench: Bench) -> None:
    """The job's folder on this machine goes; the bucket is the user's."""
    job = bench.run(container("sh", "-c", "mkdir -p $AIP_MODEL_DIR; echo m > $AIP_MODEL_DIR/m"))
    bench.runner.delete_files(job.id, job.body)
    assert not (bench.places.jobs / job.id).exists()
    assert [path.name for path in (bench.buckets / "bucket/jobs/one").iterdir()] == ["model"]
    assert (bench.buckets / "bucket/jobs/one/model/m").read_text() == "m\n"
    (bench.buckets / "bucket/jobs/one/model/m").unlink()
    bench.runner.delete_files(job.id, job.body)
    assert not (bench.buckets / "bucket/jobs/one").exists()


def test_a_jobs_output_folders_are_there_before_it_writes(bench: Bench) -> None:
    """As into a mounted bucket, a job writes into AIP_* at once; folders that it leaves empty are no objects."""
    job = bench.run(
        container("sh", "-c", 'echo 1 > "$AIP_MODEL_DIR/m"; ls "$AIP_CHECKPOINT_DIR" "$AIP_TENSORBOARD_LOG_DIR"')
    )
    assert job.state is JobState.SUCCEEDED, bench.log(job.id)
    database = Database(bench.places.state / "objects.sqlite")
    store = BucketStore(database, bench.buckets, bench.places.side_store)
    for delimiter in ("", "/"):
        page = list_objects(store, "bucket", Selection(prefix="jobs/one/", delimiter=delimiter), "", 0)
        assert [entry.name for entry in page.objects] == ([] if delimiter else ["jobs/one/model/m"])
        assert page.prefixes == (("jobs/one/model/",) if delimiter else ())
    database.close()
