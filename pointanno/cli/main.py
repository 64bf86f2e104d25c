"""The table of commands and the one place where errors become a sentence and an exit code."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from cyclopts import App, CycloptsError

from pointanno import __version__
from pointanno.errors import InputError

BAD_INPUT, BROKEN = 2, 1
"""Exit codes: the user can mend it; we must."""

app = App(
    name="pointanno",
    version=__version__,
    help="Annotate images by points, train segmentation models from them, look at the predictions.",
)

for _name in (
    "demo", "new", "open", "merge", "protocol", "scenes", "simulate", "import", "export", "validate", "stats", "study",
    "study-plan", "budget", "train", "runs", "stop", "review", "predict", "evaluate", "benchmark", "doctor",
):  # fmt: skip
    _module = _name.replace("-", "_")
    app.command(f"pointanno.cli.{_module}_command:{_module}_command", name=_name)


def _crash_report(error: BaseException) -> Path:
    """Write the traceback of an unexpected error where the user can find it."""
    from platformdirs import user_log_path

    folder = user_log_path("pointanno", appauthor=False, ensure_exists=True)
    path = folder / "last_error.txt"
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 2 bad input with one sentence, 1 an error of ours with its report."""
    try:
        app(
            list(sys.argv[1:] if arguments is None else arguments),
            exit_on_error=False,
            print_error=False,
            result_action="return_value",
        )
    except CycloptsError as error:
        print(f"pointanno: {str(error).rstrip('.')}. See `pointanno --help`", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from None
    except InputError as error:
        print(f"pointanno: {error}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"pointanno: {where}{error.strerror or error}", file=sys.stderr)
        raise SystemExit(BAD_INPUT) from None
    except KeyboardInterrupt:
        print("pointanno: stopped by the keyboard; what was finished is kept", file=sys.stderr)
        raise SystemExit(130) from None
    except Exception as error:
        try:
            report = f"the details are in {_crash_report(error)}; please send that file with the report"
        except OSError:
            report = "the details could not be written to the log folder"
        print(
            f"pointanno: unexpected error {type(error).__name__}: {error}. This is our mistake: {report}",
            file=sys.stderr,
        )
        raise SystemExit(BROKEN) from None
