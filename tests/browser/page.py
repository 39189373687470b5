"""The page of `credlens scan --format html` in headless Chromium: what works, and what must not happen."""

import csv
import glob
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

CREDLENS = os.environ["CREDLENS"]
AXE = next(iter(glob.glob(sysconfig.get_paths()["purelib"] + "/axe_playwright_python/axe.min.js")))
WIDTHS = [400, 1280]

COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,"
    "mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
).split(",")

# Names that would run, load, close or hide something, were they markup.
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "</style><img src=x onerror=alert(3)>",
    "<svg/onload=alert(4)>",
    "\"><img src=http://example.invalid/x.png>",
    "' onmouseover='alert(5)' x='",
    "</td></tr></table><h1>injected</h1>",
    "<!--", "]]>", "-->", "&lt;b&gt;", "&#60;i&#62;",
    "javascript:alert(6)", "{{7*7}}", "${alert(7)}", "`alert(8)`",
    "<iframe src=//example.invalid></iframe>",
    "<base href=//example.invalid/>",
    "<meta http-equiv=refresh content=0;url=//example.invalid>",
    "\u202egnp.exe", "\u2066x\u2069", "a\x1b[2Jb", "\x00\x07\x7f", "\ufeffx", "\u200b",
    "x" * 300, "東京", "e\u0301" * 20,
]


def hostile_report():
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for number, name in enumerate(HOSTILE):
        arn = f"arn:aws:iam::111122223333:user/{name}"
        key = ["true", "2021-02-03T04:05:06Z", "N/A", name, name]
        mfa = name if number % 3 == 0 else "false"
        rows.writerow([name, arn, "2020-01-01T00:00:00Z", "true", "N/A", name if number % 4 == 0 else "N/A", "N/A", mfa,
                       *key, *key, "true", name if number % 5 == 0 else "2020-05-06T00:00:00Z", "false", "N/A"])
    return out.getvalue()


def scan(target, *arguments):
    run = subprocess.run([CREDLENS, "scan", f"--format=html={target}", *arguments], capture_output=True, text=True)
    if run.returncode not in (0, 1, 4):
        raise AssertionError(f"exit {run.returncode}: {run.stderr}")


def driver(scripts=True):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,1000"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    options.set_capability("unhandledPromptBehavior", "ignore")
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp())
        hostile = cls.place / "<img src=x onerror=alert(9)>"
        hostile.mkdir()
        (hostile / "2026-11-21.csv").write_text(hostile_report(), encoding="utf-8")
        (cls.place / "accepted.toml").write_text(
            '[[suppress]]\nrule = "two-active-access-keys"\nreason = "<script>alert(10)</script>"\nticket = "<b>"\n')
        cls.pages = {"demo": cls.place / "demo.html", "hostile": cls.place / "hostile.html"}
        common = ["--framework=cis-aws-5.0", "--due-within=60d", "--status=all"]
        hostile = [str(hostile), "--rule=*", "--status=all", f"--suppressions={cls.place}/accepted.toml"]
        scan(cls.pages["demo"], "fixtures/demo", *common)
        scan(cls.pages["hostile"], *hostile)
        # Axe takes minutes for hundreds of findings.
        cls.short = {"demo": cls.place / "short-demo.html", "hostile": cls.place / "short-hostile.html"}
        scan(cls.short["demo"], "fixtures/demo", *common, "--limit=25")
        scan(cls.short["hostile"], *hostile, "--limit=25")
        cls.browser = driver()

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()
        shutil.rmtree(cls.place)

    def open(self, name, browser=None, width=1280, pages=None):
        browser = browser or self.browser
        for kind in ["browser", "performance"]:
            browser.get_log(kind)
        self.emulate(browser, width)
        browser.get((pages or self.pages)[name].as_uri())
        return browser

    def emulate(self, browser, width, scheme="light"):
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def shown(self, browser):
        rows = browser.find_elements(By.CSS_SELECTOR, "#list tr[data-rule]")
        return [row for row in rows if row.is_displayed()]

    def values(self, browser, key):
        return [row.get_attribute(f"data-{key}") for row in self.shown(browser)]

    def select(self, browser, key, value):
        Select(browser.find_element(By.CSS_SELECTOR, f"select[data-filter={key}]")).select_by_value(value)

    def click(self, browser, selector):
        browser.find_element(By.CSS_SELECTOR, selector).click()

    def requests(self, browser):
        messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        sent = [it["params"]["request"]["url"] for it in messages if it["method"] == "Network.requestWillBeSent"]
        return [url for url in sent if not url.startswith(self.place.as_uri())]

    def test_filters_leave_what_has_the_value(self):
        browser = self.open("demo")
        everything = len(self.shown(browser))
        self.assertGreater(everything, 50)
        for key, value in [("severity", "high"), ("status", "fail"), ("rule", "access-key-not-rotated"),
                           ("account", "111122223333")]:
            wanted = self.values(browser, key).count(value)
            self.select(browser, key, value)
            self.assertEqual(self.values(browser, key), [value] * wanted, key)
        left = len(self.shown(browser))
        self.assertGreater(left, 0)
        self.assertEqual(browser.find_element(By.ID, "count").text, f"Shown: {left} of {everything}")
        self.click(browser, "#reset")
        self.assertEqual(len(self.shown(browser)), everything)

    def test_search_takes_all_words_in_any_case(self):
        browser = self.open("demo")
        query = browser.find_element(By.ID, "query")
        query.send_keys("ROOT 111122223333 recently")
        self.assertEqual(set(self.values(browser, "rule")), {"root-recently-used"})
        groups = [group for group in browser.find_elements(By.CSS_SELECTOR, "tr.user") if group.is_displayed()]
        self.assertEqual(len(groups), 1)
        query.clear()
        query.send_keys("nothing has these words")
        self.assertEqual(self.shown(browser), [])

    def test_heads_sort_and_the_button_groups_again(self):
        browser = self.open("demo")
        before = self.values(browser, "rule")
        self.click(browser, "th.rule button")
        self.assertEqual(browser.find_element(By.CSS_SELECTOR, "th.rule").get_attribute("aria-sort"), "ascending")
        self.assertEqual(self.values(browser, "rule"), sorted(before))
        # The user is in each row now, and the heads of groups are gone.
        self.assertTrue(self.shown(browser)[0].find_element(By.CSS_SELECTOR, "td.user").is_displayed())
        self.assertEqual(browser.find_elements(By.CSS_SELECTOR, "tr.user"), [])
        self.click(browser, "th.rule button")
        self.assertEqual(browser.find_element(By.CSS_SELECTOR, "th.rule").get_attribute("aria-sort"), "descending")
        self.assertEqual(self.values(browser, "rule"), sorted(before, reverse=True))
        self.click(browser, "th.severity button")
        ranks = ["critical", "high", "medium", "low", "informational"]
        severities = self.values(browser, "severity")
        self.assertEqual(severities, sorted(severities, key=ranks.index))
        self.assertEqual(len(browser.find_elements(By.CSS_SELECTOR, "[aria-sort]")), 1)
        self.click(browser, "#group")
        self.assertEqual(self.values(browser, "rule"), before)

    def test_the_keyboard_opens_a_finding(self):
        browser = self.open("demo")
        summary = self.shown(browser)[0].find_element(By.TAG_NAME, "summary")
        summary.send_keys(Keys.ENTER)
        panel = self.shown(browser)[0].find_element(By.CSS_SELECTOR, ".panel")
        self.assertTrue(panel.is_displayed())
        for words in ["Why it matters", "Evidence", "How to fix it", "cis-aws-5.0/1.3"]:
            self.assertIn(words, panel.text)

    def test_open_all_opens_what_is_shown(self):
        browser = self.open("demo")
        self.select(browser, "severity", "critical")
        self.click(browser, "#open")
        opened = browser.find_elements(By.CSS_SELECTOR, "#list tr > td > details[open]")
        self.assertEqual(len(opened), len(self.shown(browser)))

    def test_no_error_no_request_and_nothing_injected(self):
        for name in self.pages:
            browser = self.open(name)
            for head in ["rule", "user", "account", "status", "credential", "finding"]:
                self.click(browser, f"th.{head} button")
            self.click(browser, "#open")
            browser.find_element(By.ID, "query").send_keys("<img")
            for element in browser.find_elements(By.TAG_NAME, "select"):
                for option in Select(element).options[:5]:
                    option.click()
            with self.subTest(name):
                self.assertEqual([entry["message"] for entry in browser.get_log("browser")], [])
                self.assertEqual(self.requests(browser), [])
                with self.assertRaises(Exception):
                    browser.switch_to.alert  # noqa: B018
                injected = "img, iframe, svg, object, embed, base, link, form, [onerror], [onload], [onmouseover], [style]"
                self.assertEqual(browser.find_elements(By.CSS_SELECTOR, injected), [])
                self.assertEqual(len(browser.find_elements(By.TAG_NAME, "script")), 1)
                self.assertEqual(len(browser.find_elements(By.TAG_NAME, "h1")), 1)
                addresses = [a.get_attribute("href") for a in browser.find_elements(By.TAG_NAME, "a")]
                self.assertTrue(all("#" in address for address in addresses))

    def test_hostile_names_are_shown_as_text(self):
        browser = self.open("hostile")
        users = browser.execute_script("return [...document.querySelectorAll('tr.user b')].map((b) => b.textContent)")
        for name in HOSTILE:
            if name.isascii() and name.isprintable():
                self.assertIn(name, users)
        self.assertIn("\\u{202e}gnp.exe", users)
        text = browser.execute_script("return document.documentElement.textContent")
        for character in "\u202e\u2066\x1b\x00\x07\x7f\ufeff\u200b":
            self.assertNotIn(character, text)

    def test_a_script_that_is_added_does_not_run(self):
        text = self.pages["demo"].read_text(encoding="utf-8")
        self.pages["changed"] = self.place / "changed.html"
        self.addCleanup(self.pages.pop, "changed")
        added = "<script>document.title = 'ran'</script><p style='color: red' onclick='x()'>x</p>"
        self.pages["changed"].write_text(text.replace("<main>", f"<main>{added}"), encoding="utf-8")
        browser = self.open("changed")
        self.assertNotEqual(browser.title, "ran")
        refused = [entry["message"] for entry in browser.get_log("browser")]
        self.assertTrue(any("Content Security Policy" in message for message in refused), refused)

    def test_nothing_is_wider_than_the_window(self):
        for name in self.pages:
            for width in [*WIDTHS, 320, 800, 1240]:
                browser = self.open(name, width=width)
                for step in ["", "#open", "th.rule button"]:
                    if step:
                        self.click(browser, step)
                    measured = browser.execute_script("return document.documentElement.scrollWidth")
                    with self.subTest(name, width=width, step=step):
                        self.assertLessEqual(measured, width)

    def test_axe_finds_no_serious_fault(self):
        for name in self.pages:
            for width in WIDTHS:
                for scheme in ["light", "dark"]:
                    browser = self.open(name, width=width, pages=self.short)
                    browser.set_script_timeout(120)
                    self.emulate(browser, width, scheme)
                    for details in browser.find_elements(By.CSS_SELECTOR, "details:not([open])")[:6]:
                        browser.execute_script("arguments[0].open = true", details)
                    browser.execute_script(pathlib.Path(AXE).read_text(encoding="utf-8"))
                    run = "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then(done)"
                    result = browser.execute_async_script(run)
                    serious = [(it["id"], it["impact"], [node["html"][:200] for node in it["nodes"][:3]])
                               for it in result["violations"] if it["impact"] in ("serious", "critical")]
                    others = [it["id"] for it in result["violations"]]
                    with self.subTest(name, width=width, scheme=scheme):
                        self.assertEqual(serious, [], others)

    def test_without_scripts_all_can_be_read(self):
        browser = driver(scripts=False)
        self.addCleanup(browser.quit)
        self.open("demo", browser)
        self.assertFalse(browser.find_element(By.ID, "controls").is_displayed())
        self.assertEqual(browser.find_elements(By.CSS_SELECTOR, "thead button"), [])
        rows = self.shown(browser)
        self.assertGreater(len(rows), 50)
        self.assertIn("root has an active access key", rows[0].text)
        rows[0].find_element(By.TAG_NAME, "summary").click()
        self.assertIn("Why it matters", rows[0].text)


if __name__ == "__main__":
    sys.argv[0] = "tests/browser/run"
    unittest.main(verbosity=2)
