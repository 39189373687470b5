"""Reports whose names attack what reads the formats, with findings of every status."""

import csv
import pathlib

HEADER = (
    "user arn user_creation_time password_enabled password_last_used password_last_changed password_next_rotation "
    "mfa_active access_key_1_active access_key_1_last_rotated access_key_1_last_used_date access_key_1_last_used_region "
    "access_key_1_last_used_service access_key_2_active access_key_2_last_rotated access_key_2_last_used_date "
    "access_key_2_last_used_region access_key_2_last_used_service cert_1_active cert_1_last_rotated cert_2_active "
    "cert_2_last_rotated"
).split()

NAMES = [
    "alice",
    "=cmd|'/c calc'!A1",
    "x\x1b[2J\u202eevil\x9b|`x`<script>",
    'ta,b "\u6771\u4eac"',
    "::error file=/etc/passwd,line=1::injected",
    "100%25 %0A::warning::x\r::add-mask::y",
    "]]><failure/><!-- & \ufffe \x00 \x08",
    "\U0001f600\ud7ff\ufdd0" + "z" * 3000,
    "  ",
    '\\"},{"Id":"injected"}',
    "a/../../b?c#d:e",
]

SUPPRESSIONS = """[[suppress]]
rule = "access-key-not-rotated"
user = "alice"
reason = "]]> :: %0A \\u001b[1m \\u202e until the move"
expires = 2027-12-31
ticket = "SEC,1:2"
"""


def row(name, account, partition="aws", **cells):
    base = dict.fromkeys(HEADER, "N/A")
    base.update(
        user=name,
        arn=f"arn:{partition}:iam::{account}:user/team/{name}",
        user_creation_time="2020-01-01T00:00:00Z",
        password_enabled="true",
        password_last_used="2026-11-20T00:00:00Z",
        password_last_changed="2026-10-01T00:00:00Z",
        mfa_active="false",
        access_key_1_active="true",
        access_key_1_last_rotated="2026-01-02T03:04:05Z",
        access_key_1_last_used_date="2026-11-01T00:00:00Z",
        access_key_2_active="false",
        cert_1_active="false",
        cert_2_active="false",
    )
    base.update(cells)
    return base


def write(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def reports(work: pathlib.Path):
    """The paths of a directory of reports, and of the suppressions."""
    where = work / "hostile: %2F,\u202e"
    root = row("<root_account>", "111111111111", arn="arn:aws:iam::111111111111:root", access_key_2_active="true")
    rows = [root] + [row(name, "111111111111") for name in NAMES]
    rows += [row("soon", "111111111111", access_key_1_last_rotated="soon\x07", mfa_active="maybe")]
    rows += [row("due", "111111111111", mfa_active="true", access_key_1_last_rotated="2026-08-25T00:00:00Z")]
    write(where / "a-2026-11-21.csv", HEADER, rows)
    # Two accounts whose rows alternate, one in China.
    mixed = [row(f"u{i}", *[("222222222222", "aws"), ("333333333333", "aws-cn")][i % 2]) for i in range(240)]
    write(where / "mixed-2026-11-21.csv", HEADER, mixed)
    # No ARN, so no account; and columns are missing.
    write(where / "short-2026-11-21.csv", ["user", "user_creation_time", "password_enabled"], rows[:3])
    # Of one account, without the columns of keys.
    write(where / "keyless-2026-11-21.csv", HEADER[:8], [row("k", "444444444444", "aws-us-gov")])
    suppressions = work / "suppressions.toml"
    suppressions.write_text(SUPPRESSIONS)
    return where, suppressions


def snapshots(work: pathlib.Path):
    """The paths of an older and a newer report of one account: users who stay, go and come, keys that are rotated."""
    account = "111111111111"
    root = row("<root_account>", account, arn=f"arn:aws:iam::{account}:root", mfa_active="true")
    old = [root] + [row(name, account) for name in NAMES[:-2]]
    new = [root] + [row(name, account, mfa_active="true") for name in NAMES[2:6]] + [row(name, account) for name in NAMES[6:]]
    paths = work / "old-2026-10-21.csv", work / "new-2026-11-21.csv"
    for path, rows in zip(paths, (old, new)):
        write(path, HEADER, rows)
    return paths
