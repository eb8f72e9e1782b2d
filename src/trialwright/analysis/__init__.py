"""From the analysis data sets to the answer: the plan's models, tables, figures and the report.

Runs on the data sets alone; nothing is estimated that the plan does not ask for. Needs ``trialwright[analysis]``.
"""

from trialwright.analysis.errors import NotUnblinded, PlanCannotRun
from trialwright.analysis.estimates import ArmSummary, Remark, Result, Tested, run_order, run_plan
from trialwright.analysis.material import Cut, Kind, Material, cut_of, material_at_cut, material_of_store
from trialwright.analysis.pages import as_html, as_pdf
from trialwright.analysis.plan import AnalysisPlan, Comparison, PlanItem
from trialwright.analysis.report import Piece, Report, report_of
from trialwright.analysis.results_file import as_dict, results_json
from trialwright.analysis.tables_docx import as_docx
from trialwright.analysis.writing import write_report

__all__ = [
    "AnalysisPlan",
    "ArmSummary",
    "Comparison",
    "Cut",
    "Kind",
    "Material",
    "NotUnblinded",
    "Piece",
    "PlanCannotRun",
    "PlanItem",
    "Remark",
    "Report",
    "Result",
    "Tested",
    "as_dict",
    "as_docx",
    "as_html",
    "as_pdf",
    "cut_of",
    "material_at_cut",
    "material_of_store",
    "report_of",
    "results_json",
    "run_order",
    "run_plan",
    "write_report",
]
