"""What more hours of annotation are worth, in quality of the trained model: the planner of ``pointanno budget``.

==============  ====================================================================================
`kinds`         kinds of supervision, and which system learns from each
`costs`         seconds of a box, an answer, a click, a mask: measured, given, or published
`curve`         quality against hours: a power law and what is not known about it
`findings`      curves of all kinds, what more hours are worth, the answer in words
`collecting`    finished runs of a project as points of the curve
`uncertain`     pictures that a prediction is least certain about
`ladder`        which pictures a budget buys
`rung`          one training of a simulated ladder, and the data that it learns from
`rung_job`      annotate, train, predict, measure: one rung, resumable
`simulated`     the whole ladder
`figure`        the figure as SVG and PNG
`page`          the page and the tables
`planner`       both ways from options to findings
==============  ====================================================================================
"""

from pointanno.timing.budget.findings import Findings, Trained, find, sentences
from pointanno.timing.budget.kinds import Kind, parse_kind
from pointanno.timing.budget.page import render, write_files, write_page
from pointanno.timing.budget.planner import findings_of_ladder, findings_of_project
from pointanno.timing.budget.simulated import LadderOptions, climb

__all__ = [
    "Findings",
    "Kind",
    "LadderOptions",
    "Trained",
    "climb",
    "find",
    "findings_of_ladder",
    "findings_of_project",
    "parse_kind",
    "render",
    "sentences",
    "write_files",
    "write_page",
]
