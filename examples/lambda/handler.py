"""Weekly, as an AWS Lambda function: adds the live reports to an archive in S3, and sends what changed if a finding was opened.

template.yaml sets the environment and the schedule:

    ARCHIVE         s3://bucket/prefix
    ROLE_NAME       the role in each account of the organization; empty: only the account of the function
    EXTERNAL_ID     the external id of these roles, if they ask for one
    FAIL_ON_NEW     the lowest severity of an opened finding that is sent: low
    DAYS            how old the earlier report must be at least: 6, so that a run that comes hours early finds that of a week ago
    TOPIC           an SNS topic that gets the digest
    MAIL_FROM, MAIL_TO              addresses for SES; MAIL_TO may be several, separated by commas
    WEBHOOK_PARAMETER, WEBHOOK_KIND an SSM parameter with the URL of a webhook, and "slack" or "teams"
"""

import datetime
import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import boto3

# What SNS takes is 256 KiB, what chats show is far less. Both are cut at a line.
LONGEST_MAIL = 200_000
LONGEST_CHAT = 12_000


def handler(event, context):
    work = Path(os.environ.get("WORK", "/tmp"))
    now = datetime.datetime.now(datetime.timezone.utc)
    missing = fetch(work)
    digest = changes(work, now - datetime.timedelta(days=int(os.environ.get("DAYS", "6"))), now)
    if digest is None and not missing:
        return {"sent": []}
    text = "\n".join([*missing, *([""] if missing else []), digest or "No new finding is known.\n"])
    return {"sent": send(subject(digest, missing), text)}


def fetch(work):
    """Adds the reports to the archive. Returns a line for each account whose report is missing."""
    outcomes = work / "outcomes.json"
    outcomes.unlink(missing_ok=True)
    arguments = ["fetch", "--archive", os.environ["ARCHIVE"], "--quiet"]
    if os.environ.get("ROLE_NAME"):
        arguments += ["--org", "--role-name", os.environ["ROLE_NAME"], "--outcomes", str(outcomes)]
        if os.environ.get("EXTERNAL_ID"):
            arguments += ["--external-id", os.environ["EXTERNAL_ID"]]
    # 4: some accounts failed, the others are in the archive.
    credlens(arguments, accepted={0, 4})
    if not outcomes.exists():
        return []
    accounts = json.loads(outcomes.read_text())["accounts"]
    failed = [one for one in accounts if one["outcome"] == "failed"]
    return [f"No report: {one['account']}: {' '.join(one['error'].split())}" for one in failed]


def changes(work, old, new):
    """What changed, as Markdown; None if no finding was opened."""
    digest = work / "changes.md"
    digest.unlink(missing_ok=True)
    archive = os.environ["ARCHIVE"]
    old, new = (time.strftime("%Y-%m-%dT%H:%M:%SZ") for time in (old, new))
    earlier = credlens(["archive", "list", archive, "--until", old, "--format", "json"], accepted={0})
    if not json.loads(earlier.stdout)["reports"]:
        print(f"the archive has no report of {old} or before: there is nothing to compare yet")
        return None
    limits = ["--fail-on-new", os.environ.get("FAIL_ON_NEW", "low"), "--quiet", "--format", f"markdown={digest}"]
    compared = credlens(["diff", "--archive", archive, old, new, *limits], accepted={0, 1})
    return digest.read_text() if compared.returncode == 1 else None


def credlens(arguments, accepted):
    """Runs the program: of the wheel beside this file, of a layer, or on the path."""
    here = Path(__file__).parent / "bin" / "credlens"
    program = str(here) if here.exists() else shutil.which("credlens")
    if program is None:
        raise RuntimeError("credlens is not in the package, nor in a layer")
    run = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    print(run.stderr, end="", file=sys.stderr)
    if run.returncode not in accepted:
        # The error fails the invocation: the alarm of template.yaml sends it.
        raise RuntimeError(f"credlens {arguments[0]} ended with status {run.returncode}: {run.stderr.strip()[:500]}")
    return run


def subject(digest, missing):
    parts = ["new findings"] if digest else []
    if missing:
        parts.append(f"{len(missing)} account{'s' if len(missing) > 1 else ''} without a report")
    return "IAM credentials: " + ", ".join(parts)


def send(title, text):
    """To every receiver, even if another one fails; then the first failure fails the invocation."""
    ways = {"TOPIC": ("sns", notify), "MAIL_TO": ("ses", mail), "WEBHOOK_PARAMETER": ("webhook", post)}
    sent, failures = [], []
    for variable, (name, way) in ways.items():
        if os.environ.get(variable):
            try:
                way(title, text)
                sent.append(name)
            except Exception as failure:
                print(f"{name} failed: {failure}", file=sys.stderr)
                failures.append(failure)
    if failures:
        raise failures[0]
    return sent


def notify(title, text):
    message = cut(text, LONGEST_MAIL)
    boto3.client("sns").publish(TopicArn=os.environ["TOPIC"], Subject=title[:100], Message=message)


def mail(title, text):
    boto3.client("sesv2").send_email(
        FromEmailAddress=os.environ["MAIL_FROM"],
        Destination={"ToAddresses": os.environ["MAIL_TO"].split(",")},
        Content={
            "Simple": {
                "Subject": {"Data": title, "Charset": "UTF-8"},
                "Body": {"Text": {"Data": cut(text, LONGEST_MAIL), "Charset": "UTF-8"}},
            }
        },
    )


def post(title, text):
    """To the URL in the SSM parameter: whoever knows the URL may post, so it is kept as a secret."""
    parameter = boto3.client("ssm").get_parameter(Name=os.environ["WEBHOOK_PARAMETER"], WithDecryption=True)
    request = urllib.request.Request(
        parameter["Parameter"]["Value"],
        data=json.dumps(message(title, text, os.environ.get("WEBHOOK_KIND", "slack"))).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()


def message(title, text, kind):
    if kind == "teams":
        text = cut(text, LONGEST_CHAT)
        lines = [{"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True}]
        lines.append({"type": "CodeBlock", "codeSnippet": text, "language": "PlainText"})
        card = {"type": "AdaptiveCard", "version": "1.5", "body": lines}
        attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [attachment]}
    # In Slack, a name such as <!channel> would notify everyone, and three backticks would end the block.
    for sign, escaped in {"&": "&amp;", "<": "&lt;", ">": "&gt;", "```": "'''"}.items():
        text = text.replace(sign, escaped)
    # Escaped, it is longer.
    text = cut(text, LONGEST_CHAT)
    return {"text": f"*{title}*\n```\n{text}\n```"}


def cut(text, longest):
    """At most so many bytes, at the end of a line."""
    encoded = text.encode()
    if len(encoded) <= longest:
        return text
    kept = encoded[:longest].rsplit(b"\n", 1)[0].decode()
    return f"{kept}\n\n(cut: the whole digest has {len(encoded):,} bytes)\n"
