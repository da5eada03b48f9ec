"""The built-in analyst holds to what every analyst must."""

from discubot_pipeline.adapters.rules.analyst import RuleAnalyst
from tests.adapters.analyst_conformance import AnalystConformance


class TestRuleAnalyst(AnalystConformance):
    """The suite, run against the rules."""

    analyst = RuleAnalyst()
