"""The scripts of docs/recipes.md and the function of examples/lambda, run with the program and an archive on disk. Reports do not
come from AWS but from the fixtures: a `credlens` in front of the program adds them where `fetch` would."""

import datetime
import http.server
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import types
import unittest
from pathlib import Path
from unittest import mock

import pages

CREDLENS = os.environ["CREDLENS"]
REPORTS = pages.ROOT / "fixtures/cookbook/reports"
HAS_ARCHIVES = subprocess.run([CREDLENS, "archive", "--help"], capture_output=True).returncode == 0
# In CI nothing is skipped.
RUNS = HAS_ARCHIVES or "CI" in os.environ

# `fetch … --archive X …` adds the reports of $FETCHED to X and ends with $FETCH_STATUS; everything else is the program's.
FAKE = f"""#!/bin/sh
echo "$*" >> "$CALLS"
if [ "$1" != fetch ]; then exec "{CREDLENS}" "$@"; fi
if [ "${{FETCH_STATUS:-0}}" -ne 0 ]; then echo "error: AccessDenied" >&2; fi
while [ $# -gt 0 ] && [ "$1" != --outcomes ]; do shift; done
[ $# -eq 0 ] || echo '{{"accounts": [{{"account": "777788889999", "outcome": "failed", "error": "AccessDenied"}},
    {{"account": "111122223333", "outcome": "fetched", "error": null}}]}}' > "$2"
# shellcheck disable=SC2086
[ -z "${{FETCHED:-}}" ] || "{CREDLENS}" archive add "$WHERE" $FETCHED
exit "${{FETCH_STATUS:-0}}"
"""


def program(path, text):
    path.write_text(text)
    path.chmod(0o700)


@unittest.skipUnless(RUNS, "the program has no archives")
class Weekly(unittest.TestCase):
    """The script for cron, as the page has it, over some weeks."""

    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        self.home = self.work / "home"
        self.home.mkdir()
        (script,) = [block.text for block in pages.blocks("recipes.md") if "# credlens-weekly " in block.text]
        program(self.work / "credlens-weekly", script)
        program(self.work / "credlens", FAKE)
        program(self.work / "date", '#!/bin/sh\necho "$NOW"\n')
        program(self.work / "mail", f'#!/bin/sh\n{{ echo "To: $3"; echo "Subject: $2"; cat; }} > {self.work}/mail.txt\n')

    def week(self, now, fetched, **environment):
        """The exit status, and the mail."""
        environment |= {"PATH": f"{self.work}:/usr/bin:/bin", "NOW": now, "FETCHED": fetched, "WHERE": "archive/"}
        environment |= {"CREDLENS_HOME": str(self.home), "CALLS": str(self.work / "calls")}
        arguments = [str(self.work / "credlens-weekly"), "security@example.com"]
        run = subprocess.run(arguments, env=environment, capture_output=True, text=True)
        self.assertEqual([run.stdout, run.stderr], ["", ""], "cron sends what a script prints")
        mail = self.work / "mail.txt"
        text = mail.read_text() if mail.exists() else None
        mail.unlink(missing_ok=True)
        return run.returncode, text

    def test_weeks(self):
        self.assertEqual(self.week("2026-06-01T06:00:00Z", REPORTS / "2026-05-31"), (0, None), "nothing to compare with")
        status, mail = self.week("2026-06-02T06:00:00Z", REPORTS / "2026-06-01")
        self.assertEqual(status, 0)
        self.assertIn("To: security@example.com\nSubject: credlens: new findings\n", mail)
        self.assertIn("1 opened (1 high)", mail)
        self.assertIn("`console-user-without-mfa`", mail)
        same = f"{REPORTS / '2026-06-01'} --as-of 2026-06-02T07:00:00Z"
        self.assertEqual(self.week("2026-06-02T08:00:00Z", same), (0, None), "a week without news has no mail")

    def test_a_failure_is_mailed_and_nothing_is_skipped(self):
        self.week("2026-06-01T06:00:00Z", REPORTS / "2026-05-31")
        status, mail = self.week("2026-06-01T07:00:00Z", "", FETCH_STATUS="3")
        self.assertEqual(status, 3)
        self.assertIn("Subject: credlens: fetch ended with status 3\nerror: AccessDenied\n", mail)
        _, mail = self.week("2026-06-02T06:00:00Z", REPORTS / "2026-06-01")
        self.assertIn("1 opened (1 high)", mail)

    def test_no_newer_report_is_an_error(self):
        self.week("2026-06-01T06:00:00Z", REPORTS / "2026-05-31")
        status, mail = self.week("2026-06-08T06:00:00Z", "")
        self.assertEqual(status, 3)
        self.assertIn("Subject: credlens: diff ended with status 3\n", mail)


class Client:
    """A client of boto3 that records what is sent."""

    def __init__(self, service, sent):
        self.service, self.sent = service, sent

    def __getattr__(self, call):
        def record(**arguments):
            self.sent.append((f"{self.service}.{call}", arguments))
            return {"Parameter": {"Value": Function.webhook}}

        return record


@unittest.skipUnless(RUNS, "the program has no archives")
class Function(unittest.TestCase):
    """The function, with an archive on disk in place of one in S3, and boto3 replaced."""

    webhook = ""

    def setUp(self):
        work = tempfile.TemporaryDirectory()
        self.addCleanup(work.cleanup)
        self.work = Path(work.name)
        program(self.work / "credlens", FAKE)
        self.sent = []
        boto3 = types.SimpleNamespace(client=lambda service: Client(service, self.sent))
        spec = importlib.util.spec_from_file_location("handler", pages.ROOT / "examples/lambda/handler.py")
        self.handler = importlib.util.module_from_spec(spec)
        with mock.patch.dict(sys.modules, {"boto3": boto3}):
            spec.loader.exec_module(self.handler)
        self.environment = {
            "PATH": f"{self.work}:/usr/bin:/bin",
            "CALLS": str(self.work / "calls"),
            "ARCHIVE": str(self.work / "archive"),
            "WHERE": str(self.work / "archive"),
            "WORK": str(self.work),
            "FETCHED": self.reports("2026-06-01", 0),
        }

    def reports(self, name, days):
        """The reports of a directory, as if they had been generated so many days ago."""
        time = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=days, minutes=1)
        return f"{REPORTS / name} --as-of {time:%Y-%m-%dT%H:%M:%SZ}"

    def archived(self, name, days):
        arguments = [CREDLENS, "archive", "add", self.environment["ARCHIVE"], *self.reports(name, days).split(" ")]
        subprocess.run(arguments, check=True, capture_output=True)

    def run_function(self, **environment):
        with mock.patch.dict(os.environ, self.environment | environment, clear=True):
            return self.handler.handler({}, None)

    def calls(self):
        return (self.work / "calls").read_text().splitlines()

    def test_the_first_week_has_nothing_to_compare_with(self):
        self.assertEqual(self.run_function(TOPIC="topic"), {"sent": []})
        self.assertEqual(self.sent, [])
        self.assertEqual(len(self.calls()), 2, "diff is not run")

    def test_what_was_opened_is_sent_to_the_topic_and_by_mail(self):
        self.archived("2026-05-31", 7)
        mail = {"MAIL_FROM": "credlens@example.com", "MAIL_TO": "a@example.com,b@example.com"}
        self.assertEqual(self.run_function(TOPIC="arn:aws:sns:topic", **mail), {"sent": ["sns", "ses"]})
        (publish, published), (send, mailed) = self.sent
        self.assertEqual((publish, send), ("sns.publish", "sesv2.send_email"))
        self.assertEqual(published["TopicArn"], "arn:aws:sns:topic")
        self.assertEqual(published["Subject"], "IAM credentials: new findings")
        self.assertIn("`ivan`", published["Message"])
        self.assertTrue(published["Message"].startswith("# IAM credential reports: what changed"))
        self.assertEqual(mailed["Destination"], {"ToAddresses": ["a@example.com", "b@example.com"]})
        self.assertEqual(mailed["Content"]["Simple"]["Body"]["Text"]["Data"], published["Message"])

    def test_a_run_that_comes_early_compares_with_the_report_of_a_week_ago(self):
        self.archived("2026-05-01", 14)
        self.archived("2026-05-31", 6.9)
        self.assertEqual(self.run_function(TOPIC="topic"), {"sent": ["sns"]})
        self.assertIn("1 opened (1 high)", self.sent[0][1]["Message"])

    def test_a_week_without_news_is_silent(self):
        self.archived("2026-06-01", 7)
        self.assertEqual(self.run_function(TOPIC="topic", FAIL_ON_NEW="critical"), {"sent": []})
        self.assertIn("--fail-on-new critical", self.calls()[-1])

    def test_accounts_without_a_report_are_sent(self):
        self.archived("2026-06-01", 7)
        answer = self.run_function(TOPIC="topic", ROLE_NAME="Scan", EXTERNAL_ID="x", FETCH_STATUS="4", FAIL_ON_NEW="critical")
        self.assertEqual(answer, {"sent": ["sns"]})
        self.assertEqual(self.sent[0][1]["Subject"], "IAM credentials: 1 account without a report")
        self.assertEqual(
            self.sent[0][1]["Message"], "No report: 777788889999: AccessDenied\n\nNo new finding is known.\n"
        )
        self.assertIn("--org --role-name Scan --outcomes", self.calls()[0])

    def test_a_failure_fails_the_invocation(self):
        with self.assertRaisesRegex(RuntimeError, "fetch ended with status 3: error: AccessDenied"):
            self.run_function(TOPIC="topic", FETCH_STATUS="3")
        self.assertEqual(self.sent, [])

    def test_chats(self):
        received = []

        class Chat(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Chat)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Function.webhook = f"http://127.0.0.1:{server.server_port}/"
        self.archived("2026-05-31", 7)
        for kind in ("slack", "teams"):
            answer = self.run_function(WEBHOOK_PARAMETER="credlens-webhook", WEBHOOK_KIND=kind)
            self.assertEqual(answer, {"sent": ["webhook"]})
        slack, teams = received
        self.assertTrue(slack["text"].startswith("*IAM credentials: new findings*\n```\n# IAM"))
        self.assertEqual(teams["attachments"][0]["content"]["type"], "AdaptiveCard")
        self.assertIn("`ivan`", teams["attachments"][0]["content"]["body"][1]["codeSnippet"])
        name, asked = self.sent[0]
        self.assertEqual((name, asked), ("ssm.get_parameter", {"Name": "credlens-webhook", "WithDecryption": True}))

    def test_names_cannot_notify_or_end_the_block_in_slack(self):
        text = self.handler.message("t", "<!channel> & ```", "slack")["text"]
        self.assertEqual(text, "*t*\n```\n&lt;!channel&gt; &amp; '''\n```")

    def test_long_digests_are_cut_at_a_line(self):
        text = self.handler.cut("ü" * 10 + "\n" + "x" * 30, 25)
        self.assertEqual(text, "ü" * 10 + "\n\n(cut: the whole digest has 51 bytes)\n")
        self.assertEqual(self.handler.cut("short", 25), "short")

    def test_every_variable_of_the_template_is_read(self):
        template = (pages.ROOT / "examples/lambda/template.yaml").read_text()
        code = (pages.ROOT / "examples/lambda/handler.py").read_text()
        for name in ("ARCHIVE", "ROLE_NAME", "EXTERNAL_ID", "TOPIC", "WEBHOOK_PARAMETER", "WEBHOOK_KIND"):
            self.assertIn(f"          {name}: ", template)
            self.assertIn(f'"{name}"', code)
