"""Training runs as folders: create, start, watch, stop, resume. Torch-free."""

from pointanno.runs.arguments import TrainArguments
from pointanno.runs.comparison import Comparison, compare_runs
from pointanno.runs.creation import create_run, new_run_path
from pointanno.runs.folder import RunFolder, list_runs
from pointanno.runs.launch import check_resumable, resume, start_training, start_worker
from pointanno.runs.machine import Machine, MachineReading
from pointanno.runs.preview_client import PreviewClient, PreviewReply
from pointanno.runs.status import RunStatus
from pointanno.runs.stopping import Stopping
from pointanno.runs.warm import WarmWorker

__all__ = [
    "Comparison",
    "Machine",
    "MachineReading",
    "PreviewClient",
    "PreviewReply",
    "RunFolder",
    "RunStatus",
    "Stopping",
    "TrainArguments",
    "WarmWorker",
    "check_resumable",
    "compare_runs",
    "create_run",
    "list_runs",
    "new_run_path",
    "resume",
    "start_training",
    "start_worker",
]
