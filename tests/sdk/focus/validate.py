"""Judges a file by the FOCUS project's own validator. It knows the rules of 1.0, of which 1.2 has all columns."""

import os
import sys

from focus_validator.config_objects.common import ChecklistObjectStatus
from focus_validator.validator import Validator

# It looks for columns by names that no version of the specification has, and for a list of currencies in a file that is
# not installed with it.
ITS_OWN_MISTAKES = {
    "BillingCurrency_IsCurrencyCode",
    "InvoiceIssuer_Required",
    "Provider_Required",
    "Publisher_Required",
    "ResourceID_Required",
    "SkuPriceId_Nullable",
}

validator = Validator(
    data_filename=os.environ["GATEWRIGHT_FOCUS_FILE"],
    output_destination=None,
    output_type="console",
    rules_version="1.0",
)
validator.load()
result = validator.spec_rules.validate(validator.focus_data)
failed = {
    name: check for name, check in result.checklist.items() if check.status != ChecklistObjectStatus.PASSED
}
if len(result.checklist) < 100:
    sys.exit(f"only {len(result.checklist)} checks were made")
for name in sorted(failed.keys() - ITS_OWN_MISTAKES):
    print(f"{name}: {failed[name].friendly_name}")
if failed.keys() - ITS_OWN_MISTAKES:
    sys.exit(result.failure_cases.to_string())
