"""What the check before a training found, and the word that goes on."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from napari_pointanno._views.qt_annotate_view import BAD, FAINT, _button
from napari_pointanno._views.qt_run_details import WordLabel
from pointanno.runs.preflight import Finding

WARN = "#ffb454"
_SIGNS = {"error": ("✗", BAD), "warning": ("!", WARN), "info": ("·", FAINT)}


class FindingsPanel(QFrame):
    """A list of sentences in the dock; hidden while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("pointanno_findings")
        self.setAccessibleName("Findings of the check before the training")
        self.setStyleSheet("#pointanno_findings { border: 1px solid rgba(128, 128, 128, 120); border-radius: 4px; }")
        self.summary = WordLabel("findings_summary")
        self.text = WordLabel("findings_text")
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.anyway = _button("Start anyway", "start_anyway", "Start the training in spite of the warnings")
        self.dismiss = _button("Close", "findings_close", "Hide this list")
        row = QHBoxLayout()
        row.addWidget(self.anyway)
        row.addWidget(self.dismiss)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 4, 6, 6)
        column.addWidget(self.summary)
        column.addWidget(self.text)
        column.addLayout(row)
        self.setVisible(False)

    def show_findings(self, findings: tuple[Finding, ...], *, can_start: bool, summary: str) -> None:
        """Errors first; nothing hides the list."""
        order = list(_SIGNS)
        lines = []
        for finding in sorted(findings, key=lambda one: order.index(one.level)):
            sign, color = _SIGNS[finding.level]
            lines.append(f'<span style="color: {color};">{sign} {_escaped(finding.sentence)}</span>')
        self.text.setText("<br>".join(lines))
        self.text.setVisible(bool(lines))
        self.summary.setText(summary)
        self.summary.setVisible(bool(summary))
        self.anyway.setVisible(can_start)
        self.setVisible(bool(lines) or bool(summary))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
