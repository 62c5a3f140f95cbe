"""The TensorBoards of this server: one process for each set of jobs, found again, ended with the server."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloudml_magic.errors import CloudMLError
from cloudml_magic.pipeline.log_folders import local_log_folder, run_names
from cloudml_magic.server_extension.job_answers import JobAnswers
from cloudml_magic.server_extension.tensorboard.process import READY

_ROOT = Path(__file__).resolve().parents[3]
_BOOT = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from cloudml_magic.server_extension.tensorboard.process import main; main(*sys.argv[2:])"
)
_LOGS = "logs"
_START_SECONDS = 60.0
_MOST = 8


@dataclass(slots=True)
class _Board:
    """One process, and the folder with its socket and the links to its jobs."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def runs(self) -> bool:
        return self.process is not None and self.process.poll() is None


class TensorBoards:
    """Starts, finds and ends them; every call blocks."""

    def __init__(self, jobs: JobAnswers) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._boards: dict[str, _Board] = {}
        self._place: Path | None = None

    def open(self, ids: Sequence[str]) -> str:
        """The key of the TensorBoard of these jobs, which runs now."""
        if importlib.util.find_spec("tensorboard") is None:
            raise CloudMLError(
                "tensorboard-not-installed",
                "TensorBoard is not installed where the Jupyter server runs.",
                next="Run `pip install tensorboard` in its environment, and open it again.",
            )
        jobs = [self._jobs.known(job_id) for job_id in sorted(set(ids))]
        folders = [local_log_folder(job) for job in jobs]
        key = hashlib.sha256(",".join(job.id for job in jobs).encode()).hexdigest()[:16]
        board = self._board(key)
        with board.lock:
            if not board.runs:
                _start(board, run_names(jobs), folders)
        return key

    def socket(self, key: str) -> Path:
        """Where the TensorBoard of a key listens."""
        with self._lock:
            board = self._boards.get(key)
        if board is None or not board.runs:
            raise CloudMLError(
                "no-tensorboard",
                "This TensorBoard does not run any more.",
                why="It ends ten minutes after it was looked at last, and with the Jupyter server.",
                next="Open TensorBoard from the job again.",
            )
        return board.socket

    def stop(self) -> None:
        """Ends all of them and removes what they had."""
        with self._lock:
            boards, self._boards = list(self._boards.values()), {}
            place, self._place = self._place, None
        for board in boards:
            _end(board)
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)

    def _board(self, key: str) -> _Board:
        with self._lock:
            if self._place is None:
                # Only its owner may look into it. A socket's path may have no more than a hundred bytes.
                runtime = os.environ.get("XDG_RUNTIME_DIR", "")
                where = runtime if Path(runtime).is_dir() and 0 < len(runtime) <= 40 else "/tmp"
                self._place = Path(tempfile.mkdtemp(prefix="cloudml-tb-", dir=where))
            if key not in self._boards:
                self._make_room()
                self._boards[key] = _Board(self._place / key)
            return self._boards[key]

    def _make_room(self) -> None:
        for key in [key for key, board in self._boards.items() if not board.runs and not board.lock.locked()]:
            _end(self._boards.pop(key))
        if len(self._boards) >= _MOST:
            raise CloudMLError(
                "busy",
                f"{_MOST} TensorBoards run already.",
                next="Each ends ten minutes after it was looked at last.",
            )


def _start(board: _Board, names: Sequence[str], folders: Sequence[Path]) -> None:
    _end(board)
    logs = board.folder / _LOGS
    logs.mkdir(parents=True, mode=0o700)
    for name, folder in zip(names, folders, strict=True):
        (logs / name).symlink_to(folder)
    process = subprocess.Popen(
        [sys.executable, "-c", _BOOT, str(_ROOT), str(board.socket), str(logs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    board.process = process
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
    if not ready or process.stdout.readline() != READY:
        _end(board)
        raise CloudMLError(
            "tensorboard-failed",
            "TensorBoard did not start.",
            why="Its process ended or did not answer within a minute.",
            next="Run `python -m tensorboard.main --version` in the environment of the Jupyter server: it may say why.",
        )


def _end(board: _Board) -> None:
    if board.process is not None:
        board.process.kill()
        board.process.wait()
        for pipe in (board.process.stdin, board.process.stdout):
            if pipe is not None:
                pipe.close()
        board.process = None
    shutil.rmtree(board.folder, ignore_errors=True)
