"""Exposure: what else becomes possible with a change of the tenant, for which apps, and who may use this one."""

from __future__ import annotations

from auditor.fixes.exposure.compare import exposure
from auditor.fixes.exposure.kinds import Kind, kind_of, weight_of
from auditor.fixes.exposure.ranking import rank, rank_key
from auditor.fixes.exposure.report import as_opens
from auditor.fixes.exposure.result import AppClass, Breadth, ClassExposure, Exposure, ScopeRef, Use

__all__ = [
    "AppClass",
    "Breadth",
    "ClassExposure",
    "Exposure",
    "Kind",
    "ScopeRef",
    "Use",
    "as_opens",
    "exposure",
    "kind_of",
    "rank",
    "rank_key",
    "weight_of",
]
