"""The six rules of the comparison, defined once, and their translation into the language of each peer.

A rule is a disjunction of conjunctions of atoms. Rule 1, "an access key older than 90 days", has one count per
slot, so there are seven counts. Every rule except the last excludes root.
"""

AS_OF = "2026-06-01T00:00:00Z"
DAYS = 90
CUTOFF = "2026-03-03T00:00:00Z"  # AS_OF minus DAYS
ROOT = "<root_account>"

USER, IS_ROOT = ("user",), ("root",)


def true(column):
    return ("true", column)


def false(column):
    return ("false", column)


def before(column):
    """The time exists and is more than DAYS before AS_OF."""
    return ("before", column)


RULES = {
    "key-1-old": [[USER, true("access_key_1_active"), before("access_key_1_last_rotated")]],
    "key-2-old": [[USER, true("access_key_2_active"), before("access_key_2_last_rotated")]],
    "two-active-keys": [[USER, true("access_key_1_active"), true("access_key_2_active")]],
    "key-unused": [
        [USER, true("access_key_1_active"), before("access_key_1_last_used_date")],
        [USER, true("access_key_2_active"), before("access_key_2_last_used_date")],
    ],
    "console-without-mfa": [[USER, true("password_enabled"), false("mfa_active")]],
    "password-unused": [[USER, true("password_enabled"), before("password_last_used")]],
    "root-key-active": [[IS_ROOT, true("access_key_1_active")], [IS_ROOT, true("access_key_2_active")]],
}

COLUMNS = (
    "user arn user_creation_time password_enabled password_last_used password_last_changed "
    "password_next_rotation mfa_active access_key_1_active access_key_1_last_rotated "
    "access_key_1_last_used_date access_key_1_last_used_region access_key_1_last_used_service "
    "access_key_2_active access_key_2_last_rotated access_key_2_last_used_date "
    "access_key_2_last_used_region access_key_2_last_used_service cert_1_active cert_1_last_rotated "
    "cert_2_active cert_2_last_rotated"
).split()
ABSENT = ["N/A", "no_information", "not_supported"]

ATTRIBUTES = {
    "password_enabled": "passwordEnabled",
    "password_last_used": "passwordLastUsed",
    "mfa_active": "mfaActive",
    "access_key_1_active": "firstAccessKey.isActive",
    "access_key_1_last_rotated": "firstAccessKey.lastRotated",
    "access_key_1_last_used_date": "firstAccessKey.lastUsedDate",
    "access_key_2_active": "secondAccessKey.isActive",
    "access_key_2_last_rotated": "secondAccessKey.lastRotated",
    "access_key_2_last_used_date": "secondAccessKey.lastUsedDate",
}


def read_columns(kind):
    """The columns that the rules read with atoms of these kinds, in report order."""
    atoms = [atom for terms in RULES.values() for term in terms for atom in term]
    names = {atom[1] for atom in atoms if atom[0] in kind}
    return [column for column in COLUMNS if column in names]


FLAGS = read_columns(("true", "false"))
TIMES = read_columns(("before",))


def spelled(terms, atom, conjunction, disjunction):
    joined = [conjunction.join(atom(*part) for part in term) for term in terms]
    return joined[0] if len(joined) == 1 else disjunction.join(f"({term})" for term in joined)


def gsl(cutoff=(DAYS, "days")):
    """Bare GSL, one rule per line, in the order of RULES. Prowler counts whole days: see prowler_checks.py."""
    number, unit = cutoff

    def atom(kind, column=None):
        name = ATTRIBUTES.get(column)
        return {
            "user": f"name != '{ROOT}'",
            "root": f"name = '{ROOT}'",
            "true": f"{name} = true",
            "false": f"{name} = false",
            "before": f"not {name} isEmpty() and {name} before(-{number}, '{unit}')",
        }[kind]

    return "".join(
        f"# {rule}\nIamUser should not have {spelled(terms, atom, ' and ', ' or ')}\n" for rule, terms in RULES.items()
    )


def sql():
    """SQL conditions by rule, for columns typed BOOLEAN and TIMESTAMP."""

    def atom(kind, column=None):
        return {
            "user": f"\"user\" <> '{ROOT}'",
            "root": f"\"user\" = '{ROOT}'",
            "true": f"{column}",
            "false": f"NOT {column}",
            "before": f"{column} < TIMESTAMP '{CUTOFF}'",
        }[kind]

    return {rule: spelled(terms, atom, " AND ", " OR ") for rule, terms in RULES.items()}


def awk():
    """An awk program. It compares times as text, which works while all have one form; commas in quoted cells are removed first."""

    def atom(kind, column=None):
        field = f"${COLUMNS.index(column) + 1}" if column else "$1"
        return {
            "user": f'$1 != "{ROOT}"',
            "root": f'$1 == "{ROOT}"',
            "true": f'{field} == "true"',
            "false": f'{field} == "false"',
            # Digits sort before letters, so N/A and no_information are not before any time.
            "before": f'{field} < "{CUTOFF}"',
        }[kind]

    unquote = (
        '/"/ { while (match($0, /"[^"]*"/)) { cell = substr($0, RSTART + 1, RLENGTH - 2); gsub(/,/, "", cell);'
        " $0 = substr($0, 1, RSTART - 1) cell substr($0, RSTART + RLENGTH) } }\n"
    )
    names = {rule: f"n{at}" for at, rule in enumerate(RULES)}
    tests = "".join(
        f"{spelled(terms, atom, ' && ', ' || ')} {{ {names[rule]}++ }}\n" for rule, terms in RULES.items()
    )
    shown = ", ".join(f'\\"{rule}\\": %d' for rule in RULES)
    values = ", ".join(names.values())
    return f'BEGIN {{ FS = "," }}\nNR == 1 {{ next }}\n{unquote}{tests}END {{ printf "{{{shown}}}\\n", {values} }}\n'


def python(rule):
    """A Python expression on a dictionary `row` of strings."""

    def atom(kind, column=None):
        cell = f"row[{column!r}]"
        return {
            "user": f"row['user'] != {ROOT!r}",
            "root": f"row['user'] == {ROOT!r}",
            "true": f"{cell} == 'true'",
            "false": f"{cell} == 'false'",
            "before": f"{cell} < {CUTOFF!r}",
        }[kind]

    return spelled(RULES[rule], atom, " and ", " or ")
