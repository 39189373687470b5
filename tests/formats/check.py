"""Reads the formats of `credlens scan` with programs by others. Arguments: credlens, a directory, moto_server."""

import collections
import datetime
import json
import pathlib
import re
import socket
import subprocess
import sys
import time
import unicodedata
import xml.etree.ElementTree

import boto3
import botocore.session
import hostile
import jsonschema
import junitparser
import ocsf_json_schema
import openpyxl
from botocore.config import Config
from botocore.validate import ParamValidator

HERE = pathlib.Path(__file__).parent
Finding = collections.namedtuple("Finding", "id status account")
FORMATS = ["ndjson", "ocsf", "asff", "sarif", "junit", "github", "xlsx"]
TEXTS = {"Id": 512, "Title": 256, "Description": 1024, "GeneratorId": 512, "ProductArn": 2048}


def scan(program, work, name, arguments):
    """The paths of all formats, the findings as far as they are compared, and standard error."""
    outputs = {fmt: work / f"{name}.{fmt}" for fmt in FORMATS}
    flags = [f"--format={fmt}={path}" for fmt, path in outputs.items()]
    done = subprocess.run([program, "scan", *arguments, *flags], capture_output=True, text=True, cwd=work)
    assert done.returncode in (1, 4), (done.returncode, done.stderr)
    for fmt, path in outputs.items():
        if fmt == "xlsx":
            continue
        used = set().union(*map(set, lines(path)))
        raw = {c for c in used if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn", "Cs")}
        assert not raw, (fmt, raw)
    findings = [(it["id"], it["status"], it["account"]) for it in map(json.loads, lines(outputs["ndjson"]))]
    return outputs, [Finding(*it) for it in findings], done.stderr


def lines(path):
    """The lines of a file, which may be large."""
    with path.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            yield line.removesuffix("\n")


def check_ocsf(path, findings):
    committed = json.loads((HERE / "ocsf-compliance-finding-1.5.0-cloud.schema.json").read_text())
    schema = ocsf_json_schema.OcsfJsonSchemaEmbedded(ocsf_json_schema.get_ocsf_schema("1.5.0"))
    generated = schema.get_class_schema("compliance_finding", ["cloud"])
    assert json.dumps(generated, sort_keys=True) == json.dumps(committed, sort_keys=True), "the committed schema differs"
    validator = jsonschema.validators.validator_for(committed)(committed)
    # The schema takes some milliseconds per event: of many events, each kind and every hundredth is validated.
    seen, validated, number = set(), 0, 0
    for number, event in enumerate(map(json.loads, lines(path)), 1):
        assert event["finding_info"]["uid"] == findings[number - 1].id
        kind = (event["metadata"]["event_code"], event["unmapped"]["status"], len(event["resources"]))
        if kind not in seen or number % 100 == 0:
            seen.add(kind)
            validator.validate(event)
            validated += 1
    assert number == len(findings), number
    return f"{number} events, {validated} validated"


def check_asff(path, findings, stderr, moto, most_requests):
    model = botocore.session.get_session().get_service_model("securityhub")
    shape = model.operation_model("BatchImportFindings").input_shape
    requests, imported, accepted = 0, 0, 0
    for requests, line in enumerate(lines(path), 1):
        assert len(line.encode()) <= 6_000_000
        request = json.loads(line)
        report = ParamValidator().validate(request, shape)
        assert not report.has_errors(), report.generate_report()
        batch = request["Findings"]
        assert 1 <= len(batch) <= 100
        assert len({finding["AwsAccountId"] for finding in batch}) == 1
        for finding in batch:
            assert len(json.dumps(finding, ensure_ascii=False).encode()) <= 240_000
            check_lengths(finding)
        imported += len(batch)
        if most_requests is None or requests <= most_requests:
            accepted += moto.take(request)
    with_account = sum(finding.account is not None for finding in findings)
    assert imported == with_account, (imported, with_account)
    left_out = len(findings) - imported
    assert (f"{left_out} finding" in stderr and "not-in-format" in stderr) if left_out else "not-in-format" not in stderr
    return f"{requests} requests, {imported} findings, {left_out} left out, moto took {accepted}"


def check_lengths(finding):
    for name, most in TEXTS.items():
        assert 1 <= len(finding[name]) <= most, (name, finding[name])
    for resource in finding["Resources"]:
        assert 1 <= len(resource["Id"]) <= 512, resource
    assert len(finding["ProductFields"]) <= 50
    for name, value in finding["ProductFields"].items():
        assert 1 <= len(name) <= 128 and 1 <= len(value) <= 2048 and value.strip(), (name, value)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", finding["CreatedAt"])
    assert finding["FindingProviderFields"]["Severity"] == finding["Severity"]


class Moto:
    """A moto server; every account is reached by a role of its own, as an upload must."""

    def __init__(self, program):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.server = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.clients = {}
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError("moto does not answer")

    def end(self):
        self.server.terminate()
        self.server.wait()

    def client(self, account, region):
        if (account, region) not in self.clients:
            common = {"endpoint_url": self.url, "config": Config(retries={"max_attempts": 1})}
            sts = boto3.client("sts", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x", **common)
            role = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/upload", RoleSessionName="upload")["Credentials"]
            self.clients[account, region] = boto3.client(
                "securityhub",
                region_name=region,
                aws_access_key_id=role["AccessKeyId"],
                aws_secret_access_key=role["SecretAccessKey"],
                aws_session_token=role["SessionToken"],
                **common,
            )
        return self.clients[account, region]

    def take(self, request):
        _, partition, _, region, account, _ = request["Findings"][0]["ProductArn"].split(":", 5)
        client = self.client(account, region)
        answer = client.batch_import_findings(**request)
        assert answer["FailedCount"] == 0, answer
        assert answer["SuccessCount"] == len(request["Findings"])
        return answer["SuccessCount"]


def check_sarif(path, findings):
    schema = json.loads((HERE / "sarif-schema-2.1.0.json").read_text())
    text = path.read_text(encoding="utf-8")
    document = json.loads(text)
    jsonschema.Draft7Validator(schema).validate(document)
    (run,) = document["runs"]
    results = run["results"]
    assert len(results) == min(len(findings), 5000), len(results)
    assert run["properties"]["leftOut"] == len(findings) - len(results)
    notifications = run["invocations"][0]["toolExecutionNotifications"]
    assert (len(results) < len(findings)) == any(it["descriptor"]["id"] == "left-out" for it in notifications)
    fingerprints = {result["partialFingerprints"]["primaryLocationLineHash"] for result in results}
    assert fingerprints <= {finding.id + ":1" for finding in findings}
    assert len({"suppressions" in result for result in results}) == 1
    for result in results:
        location = result["locations"][0]["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9._~%:/-]+", location["artifactLocation"]["uri"]), location
        assert location["region"]["startLine"] >= 1, location
    return f"{len(results)} results, {run['properties']['leftOut']} left out, {len(text) // 1024} KiB"


def check_junit(path, findings):
    report = junitparser.JUnitXml.fromfile(str(path))
    count = lambda *statuses: sum(finding.status in statuses for finding in findings)
    cases, skipped = 0, 0
    for suite in report:
        of_suite = list(suite)
        kinds = [type(result).__name__ for case in of_suite for result in case.result]
        said = (suite.tests, suite.failures, suite.errors, suite.skipped)
        counted = (len(of_suite), *(kinds.count(kind) for kind in ("Failure", "Error", "Skipped")))
        assert said == counted, (suite.name, said, counted)
        cases += len(of_suite)
        skipped += counted[3]
    root = xml.etree.ElementTree.parse(path).getroot().attrib
    assert int(root["tests"]) == cases and int(root["skipped"]) == skipped
    assert int(root["failures"]) == count("fail"), root
    assert int(root["errors"]) == count("undetermined"), root
    return f"{cases} cases, {root['failures']} failures, {root['errors']} errors, {skipped} skipped"


# As the runner reads a line: src/Runner.Common/ActionCommand.cs of actions/runner.
COMMAND = re.compile(r"^::(error|warning|notice) (title=[^,:]+)(,file=[^,:]+)?(,line=\d+)?::(.*)$")


def check_github(path, findings):
    kinds = {"error": 0, "warning": 0, "notice": 0}
    annotations = list(lines(path))
    for line in annotations:
        command = COMMAND.match(line)
        assert command and "\r" not in line, line
        assert not re.search(r"%(?!25|0D|0A|3A|2C)", line), line
        kinds[command[1]] += 1
    assert all(number <= 10 for number in kinds.values()), kinds
    more = re.match(r"([\d,]+) more finding", COMMAND.match(annotations[-1])[5])
    rest = int(more[1].replace(",", "")) if more else 0
    assert rest + len(annotations) - (1 if more else 0) == len(findings), (rest, annotations, len(findings))
    return f"{kinds}, {rest} more"


def check_xlsx(path, findings):
    if len(findings) > 50_000:
        # A large workbook is read row by row.
        book = openpyxl.load_workbook(path, read_only=True)
        rows = sum(1 for _ in book["Findings"].iter_rows(max_col=1)) - 1
        assert rows == len(findings), (rows, len(findings))
        return f"{rows} findings"
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["Summary", "Findings", "Users", "Keys", "Requirements"], book.sheetnames
    cells = 0
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f" and cell.hyperlink is None, (sheet.title, cell.coordinate)
                if isinstance(cell.value, str):
                    assert not any(unicodedata.category(c) in ("Cc", "Cf") for c in cell.value), cell.value
                cells += 1
        if sheet.title != "Summary":
            assert sheet.freeze_panes == "A2" and sheet.auto_filter.ref, sheet.title
    rows = book["Findings"].max_row - 1
    assert rows == len(findings), (rows, len(findings))
    heads = [cell.value for cell in book["Users"][1]]
    created = [row[heads.index("created")] for row in book["Users"].iter_rows(min_row=2, values_only=True)]
    assert any(isinstance(time, datetime.datetime) for time in created)
    keys = book["Keys"].max_row - 1
    return f"{cells} cells, {rows} findings, {len(created)} users, {keys} keys"


def check_diff(program, work):
    """The findings of a diff as OCSF and SARIF, by the schemas of OCSF and OASIS, against its JSON."""
    old, new = hostile.snapshots(work)
    outputs = {fmt: work / f"diff.{fmt}" for fmt in ("json", "ocsf", "sarif")}
    flags = [f"--format={fmt}={path}" for fmt, path in outputs.items()]
    subprocess.run([program, "diff", old, new, "--rule=*", *flags], check=True, capture_output=True, cwd=work)
    document = json.loads(outputs["json"].read_text(encoding="utf-8"))
    findings = [(change, it["id"]) for change, all in document["findings"].items() for it in all]
    changes = collections.Counter(change for change, _ in findings)
    assert all(changes[change] for change in ("opened", "resolved", "open")), changes
    schema = json.loads((HERE / "ocsf-compliance-finding-1.5.0-cloud.schema.json").read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    activities = {"opened": 1, "unveiled": 1, "open": 2, "resolved": 3}
    events = [json.loads(line) for line in lines(outputs["ocsf"])]
    assert [(it["activity_id"], it["finding_info"]["uid"]) for it in events] == [
        (activities[change], id) for change, id in findings
    ]
    for event in events:
        validator.validate(event)
    sarif = json.loads(outputs["sarif"].read_text(encoding="utf-8"))
    jsonschema.Draft7Validator(json.loads((HERE / "sarif-schema-2.1.0.json").read_text())).validate(sarif)
    results = sarif["runs"][0]["results"]
    states = collections.Counter(result["baselineState"] for result in results)
    assert len(results) == min(len(findings), 5000) and states["new"] == changes["opened"] + changes["unveiled"], states
    return f"{dict(changes)}, SARIF {dict(states)}"


def check(name, program, work, arguments, moto, most_requests):
    started = time.monotonic()
    paths, findings, stderr = scan(program, work, name, arguments)
    print(f"{name}: {len(findings)} findings, scan {time.monotonic() - started:.1f} s", flush=True)
    checks = {
        "ocsf": lambda: check_ocsf(paths["ocsf"], findings),
        "asff": lambda: check_asff(paths["asff"], findings, stderr, moto, most_requests),
        "sarif": lambda: check_sarif(paths["sarif"], findings),
        "junit": lambda: check_junit(paths["junit"], findings),
        "github": lambda: check_github(paths["github"], findings),
        "xlsx": lambda: check_xlsx(paths["xlsx"], findings),
    }
    for fmt, run in checks.items():
        print(f"  {fmt}: {run()}", flush=True)
    return findings


def main():
    program, work, moto_server = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
    where, suppressions = hostile.reports(work)
    moto = Moto(moto_server)
    try:
        arguments = [where, "--rule=*", "--status=all", "--due-within=60d", f"--suppressions={suppressions}"]
        findings = check("hostile", program, work, arguments, moto, None)
        statuses = {finding.status for finding in findings}
        assert statuses == {"fail", "undetermined", "suppressed", "pass", "due"}, statuses
        # moto searches its findings one by one, so it gets some of the requests.
        print(f"diff: {check_diff(program, work)}", flush=True)
        check("large", program, work, ["large-2026-11-21.csv"], moto, 20)
    finally:
        moto.end()
    print("all formats were read")


main()
