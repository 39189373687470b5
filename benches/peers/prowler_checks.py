"""Prowler's own checks on a report, with a client that already has all data and calls nothing.

Two settings make verdicts comparable: the age of "unused" is that of the rules, and the clock is set to the time of
the report. Prowler truncates ages to whole days and tests for more than 90, so it fails from 91 days on; our rules run
with that boundary. Prowler also reports root's keys as those of a user; we count root by rule 6 only.
"""

import collections
import csv
import datetime
import importlib
import sys
import types

import peers
import rules

CHECKS = {
    "keys-old": "iam_rotate_access_key_90_days",
    "two-active-keys": "iam_user_two_active_access_key",
    "key-unused": "iam_user_accesskey_unused",
    "console-without-mfa": "iam_user_mfa_enabled_console_access",
    "password-unused": "iam_user_console_access_unused",
    "root-key-active": "iam_no_root_access_key",
}
PACKAGE = "prowler.providers.aws.services.iam"


def client(path):
    """The state of Prowler's `iam_client` after its API calls: the report as Prowler reads it, and the listed users."""
    from prowler.providers.aws.services.iam.iam_service import User

    with open(path, encoding="utf-8") as file:
        report = list(csv.DictReader(file.read().split("\n"), delimiter=","))

    def instant(cell):
        return None if cell in rules.ABSENT else datetime.datetime.fromisoformat(cell.replace("Z", "+00:00"))

    users = [
        User(
            name=row["user"],
            arn=row["arn"],
            password_last_used=instant(row["password_last_used"]),
            console_access=row["password_enabled"] == "true",
        )
        for row in report
        if row["user"] != rules.ROOT
    ]
    return types.SimpleNamespace(
        credential_report=report,
        users=users,
        region="us-east-1",
        audited_account="123456789012",
        audit_config={"max_unused_access_keys_days": rules.DAYS, "max_console_access_days": rules.DAYS},
        organization_features=None,
    )


def count(path):
    stub = types.ModuleType(f"{PACKAGE}.iam_client")
    stub.iam_client = client(path)
    sys.modules[stub.__name__] = stub
    frozen = peers.frozen(peers.as_of())
    counts = {}
    for rule, name in CHECKS.items():
        module = importlib.import_module(f"{PACKAGE}.{name}.{name}")
        if hasattr(module, "datetime"):
            module.datetime = frozen
        findings = getattr(module, name)().execute()
        failed = [finding for finding in findings if finding.status == "FAIL"]
        if rule != "root-key-active":
            failed = [finding for finding in failed if not finding.resource_id.startswith(rules.ROOT)]
        by_arn = collections.Counter(finding.resource_arn for finding in failed)
        counts[rule] = len(by_arn) if rule == "key-unused" else len(failed)
    return counts
