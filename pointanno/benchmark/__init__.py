"""Results tables that anybody can make again: trainings by a plan, measured and compared. Torch-free.

A system that ships ``benchmark.toml`` has a benchmark: its rows are trainings, each on a data set of the layout of
the development data (``<data set>/<train or val>/images`` and ``instances.json``), with simulated points or with
masks. ``pointanno benchmark`` runs simulate, train, predict and evaluate for every row in child processes and
writes one table; what was finished before is kept, what was interrupted goes on.

=============  =====================================================================================
`plan`         what ``benchmark.toml`` may say, and a row with everything it stands for
`matching`     whether a run folder that exists is the training that a row asks for
`children`     commands in child processes that can be stopped
`row_job`      one row from the points to ``result.json``
`runner`       all rows, in an order that respects who starts from whom
`machine`      the name of what computes here
`results`      ``result.json``: what was measured, on which machine, with which versions
`pictures`     predicted outlines beside the true ones
`table`        means over seeds, ratios, Markdown and JSON
=============  =====================================================================================

Two benchmarks need no training and have commands of their own: `assignment` measures the speed of the label
assignment beside `assignment_peers`, `pseudo_masks` the quality of masks from clicks alone. `data_folder` knows where
the development data lie.

A folder of results holds, for each row, ``points.json``, the run folder ``run``, ``pred.json``, ``result.json``,
``pictures/`` and ``log.txt`` (what the children said); beside the rows lie ``table.md`` and ``table.json``.
"""

from pointanno.benchmark.plan import Plan, available_benchmarks, read_plan
from pointanno.benchmark.runner import Options, run_benchmark
from pointanno.benchmark.table import make_table, table_to_markdown

__all__ = [
    "Options",
    "Plan",
    "available_benchmarks",
    "make_table",
    "read_plan",
    "run_benchmark",
    "table_to_markdown",
]
