"""Training runs as folders: create, start, watch, stop, resume. Torch-free."""

from pointanno.runs.arguments import TrainArguments
from pointanno.runs.creation import create_run, new_run_path
from pointanno.runs.folder import RunFolder, list_runs
from pointanno.runs.launch import check_resumable, resume, start_training
from pointanno.runs.preview_client import PreviewClient, PreviewReply
from pointanno.runs.status import RunStatus

__all__ = [
    "PreviewClient",
    "PreviewReply",
    "RunFolder",
    "RunStatus",
    "TrainArguments",
    "check_resumable",
    "create_run",
    "list_runs",
    "new_run_path",
    "resume",
    "start_training",
]
