"""The page in headless Chromium: against canned answers, and, where
PIPELINE_SERVE names the program, against the real one.

    tests/serve/run_page
"""

import json
import os
import pathlib
import re
import subprocess
import time
import unittest
import urllib.request

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import page_server

ROOT = pathlib.Path(__file__).resolve().parents[2]
WIDE, PHONE = (1280, 800), (360, 740)


def make_browser():
    options = webdriver.ChromeOptions()
    options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    for flag in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
    return webdriver.Chrome(options=options, service=service)


class PageCase(unittest.TestCase):
    """A page of `url`; afterwards nothing may have gone wrong in the browser."""

    allowed = ()  # texts of console messages that a test provokes

    @classmethod
    def setUpClass(cls):
        cls.browser = make_browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.quit()

    def open(self, url, model="", size=WIDE):
        self.url = url
        self.browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        self.browser.get("about:blank")
        for log in ("browser", "performance"):
            self.browser.get_log(log)
        self.browser.get(f"{url}#{model}")
        self.wait(lambda: self.all("#models button"))

    def tearDown(self):
        bad = [
            row["message"]
            for row in self.browser.get_log("browser")
            if row["level"] in ("SEVERE", "WARNING")
            and not any(text in row["message"] for text in self.allowed)
        ]
        self.assertEqual(bad, [])
        asked = set()
        for row in self.browser.get_log("performance"):
            message = json.loads(row["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.add(message["params"]["request"]["url"])
        foreign = [
            url
            for url in asked
            if not url.startswith((self.url, "blob:", "data:", "about:", "chrome"))
        ]
        self.assertEqual(foreign, [])

    def wait(self, what, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            got = what()
            if got:
                return got
            time.sleep(0.02)
        self.fail(
            f"not in {seconds} s; the page says: {self.browser.find_element(By.TAG_NAME, 'main').text[:500]}"
        )

    def all(self, css):
        return self.browser.find_elements(By.CSS_SELECTOR, css)

    def one(self, css):
        return self.wait(lambda: self.all(css))[0]

    def text(self, css):
        return self.one(css).get_attribute("textContent")

    def run_js(self, script, *args):
        return self.browser.execute_script(script, *args)

    def press(self, *keys):
        ActionChains(self.browser).send_keys(*keys).perform()

    def active(self):
        """What has the focus, as people hear it."""
        return self.run_js(
            "const a = document.activeElement; if (['BODY', 'MAIN'].includes(a.tagName)) return '';"
            "return a.getAttribute('aria-label') ?? a.labels?.[0]?.textContent ?? a.innerText"
        )

    def tab_to(self, name, most=40):
        for _ in range(most):
            if name in (self.active() or ""):
                return
            self.press(Keys.TAB)
        self.fail(f"Tab does not come to {name}")

    def send(self, text):
        self.one(".writing textarea").send_keys(text + Keys.ENTER)

    def wait_for_answer(self):
        return self.wait(lambda: self.all(".measured") and not self.all(".writing-now"), 60)

    def drop(self, data, name, kind):
        """Drops a file as a hand would: over the page, then down."""
        self.run_js(
            """
            const bytes = Uint8Array.from(atob(arguments[0]), (c) => c.charCodeAt(0));
            const data = new DataTransfer();
            data.items.add(new File([bytes], arguments[1], {type: arguments[2]}));
            for (const type of ['dragover', 'drop']) {
              document.querySelector('main').dispatchEvent(
                  new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
            }""",
            page_server.base64_of(data),
            name,
            kind,
        )


class Canned(PageCase):
    """Against answers that are known."""

    def serve(self, model="", size=WIDE, **options):
        self.server = page_server.Server(**options)
        self.addCleanup(self.server.end)
        self.open(self.server.url, model, size)
        return self.server

    def test_a_chat_streams(self):
        server = self.serve("gemma_chat", pace=0.03)
        self.send("How does it work?")
        self.wait(lambda: 10 < len(self.text(".made")) < len(page_server.ANSWER))
        self.wait_for_answer()
        self.assertEqual(self.text(".made"), page_server.ANSWER)
        self.assertRegex(self.text(".measured"), r"^49 tokens · [\d.]+/s · first after 0\.\d\d s$")
        (asked,) = server.posts("/v1/chat/completions")
        self.assertEqual(
            asked,
            {
                "model": "gemma_chat",
                "messages": [{"role": "user", "content": "How does it work?"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            },
        )
        self.send("And then?")
        self.wait(lambda: len(server.posts("/v1/chat/completions")) == 2)
        roles = [m["role"] for m in server.posts("/v1/chat/completions")[1]["messages"]]
        self.assertEqual(roles, ["user", "assistant", "user"])

    def test_people_who_listen_get_sentences(self):
        self.serve("gemma_chat", pace=0.02)
        self.run_js("""window.heard = [];
            new MutationObserver(() => heard.push(document.getElementById('said').textContent))
                .observe(document.getElementById('said'), {childList: true});""")
        self.send("Hi")
        self.wait_for_answer()
        heard = self.run_js("return heard")
        self.assertGreater(len(heard), 2)
        self.assertTrue(all(re.search(r"[.:!?]$", part) for part in heard), heard)
        self.assertEqual(" ".join(heard).split(), page_server.ANSWER.split())

    def test_escape_stops(self):
        server = self.serve("gemma_chat", pace=0.05)
        server.answers.append("word " * 500)
        self.send("Go on for ever")
        self.wait(lambda: len(self.text(".made")) > 20)
        self.press(Keys.ESCAPE)
        self.wait_for_answer()
        self.assertIn("stopped", self.text(".measured"))
        self.assertTrue(server.gone.wait(5), "the server goes on for nobody")
        self.assertTrue(self.text(".made").startswith("word word"))
        self.send("Hi")
        self.wait(lambda: len(self.all(".measured")) == 2)

    def test_leaving_stops(self):
        server = self.serve("gemma_chat", pace=0.05)
        server.answers.append("word " * 500)
        self.send("Go on for ever")
        self.wait(lambda: len(self.text(".made")) > 20)
        self.browser.get("about:blank")
        self.assertTrue(server.gone.wait(2), "the server goes on for nobody")

    def test_the_button_stops(self):
        server = self.serve("gemma_chat", pace=0.05)
        server.answers.append("word " * 500)
        self.send("Go on for ever")
        self.one(".stop:not([hidden])").click()
        self.wait_for_answer()
        self.assertTrue(server.gone.wait(5))

    def test_settings_are_sent(self):
        server = self.serve("gemma_chat")
        self.one("[aria-controls$=settings]").click()
        self.one("#gemma_chat-system").send_keys("Be short.")
        for name, value in {
            "temperature": "0.7",
            "top_p": "0.9",
            "top_k": "40",
            "max_tokens": "12",
            "seed": "7",
        }.items():
            self.one(f"#gemma_chat-{name}").send_keys(value)
        self.send("Hi")
        self.wait_for_answer()
        (asked,) = server.posts("/v1/chat/completions")
        self.assertEqual(asked["messages"][0], {"role": "system", "content": "Be short."})
        self.assertEqual(
            [asked[k] for k in ("temperature", "top_p", "top_k", "max_tokens", "seed")],
            [0.7, 0.9, 40, 12, 7],
        )

    def test_a_wrong_setting_is_not_sent(self):
        server = self.serve("gemma_chat")
        self.one("[aria-controls$=settings]").click()
        self.one("#gemma_chat-temperature").send_keys("9")
        self.one("[aria-label='Settings'] button").click()
        self.send("Hi")
        self.assertEqual(self.active(), "Temperature")
        self.assertEqual(self.one(".writing textarea").get_property("value"), "Hi")
        self.assertEqual(server.asked, [])

    def test_a_new_chat_forgets(self):
        server = self.serve("gemma_chat", pace=0.05)
        self.send("The first")
        self.wait(lambda: self.text(".made"))
        next(b for b in self.all(".head button") if "New chat" in b.text).click()
        self.wait(lambda: self.one(".send").is_displayed())
        self.assertEqual(self.all(".turn"), [])
        self.send("The second")
        self.wait(lambda: len(server.posts("/v1/chat/completions")) == 2)
        messages = server.posts("/v1/chat/completions")[1]["messages"]
        self.assertEqual([m["content"] for m in messages], ["The second"])

    def test_a_text_goes_on(self):
        server = self.serve("gemma_text")
        server.answers.append(" April, May, June")
        self.send("January, February, March,")
        self.wait_for_answer()
        self.assertEqual(self.text(".answer"), "January, February, March, April, May, June")
        (asked,) = server.posts("/v1/completions")
        self.assertEqual((asked["prompt"], asked["max_tokens"]), ("January, February, March,", 128))

    def test_text_is_never_html(self):
        server = self.serve("gemma_chat")
        nasty = "<img src=x onerror=alert(1)><b>bold</b><script>alert(2)</script> &amp;"
        server.answers.append(nasty)
        self.send(nasty)
        self.wait_for_answer()
        self.assertEqual(self.text(".made"), nasty)
        self.assertEqual(self.all(".turn img, .turn b, .turn script"), [])

    def test_keys_alone(self):
        server = self.serve("image_classify")
        self.press(Keys.TAB)
        self.assertEqual(self.active(), "Skip to the model")
        self.tab_to("gemma_text")
        self.press(Keys.SHIFT, Keys.TAB)
        self.tab_to("gemma_chat")
        self.press(Keys.ENTER)
        self.assertEqual(self.active(), "Your message")
        self.press("one")
        ActionChains(self.browser).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(
            Keys.SHIFT
        ).perform()
        self.press("two", Keys.ENTER)
        self.wait_for_answer()
        self.assertEqual(
            server.posts("/v1/chat/completions")[0]["messages"][0]["content"], "one\ntwo"
        )
        self.tab_to("Settings")
        ring = self.run_js("return getComputedStyle(document.activeElement).outlineStyle")
        self.assertEqual(ring, "solid", "no ring around what has the focus")
        self.press(Keys.ENTER)
        self.assertEqual(self.active(), "System text")
        self.press(Keys.ESCAPE)
        self.assertEqual(self.active(), "Settings")
        self.assertEqual(self.all(".settings:not([hidden])"), [])

    def test_a_picture_is_dropped(self):
        server = self.serve("image_classify")
        self.drop(page_server.PNG, "cup.png", "image/png")
        rows = self.wait(lambda: self.all(".bars li"))
        self.assertEqual(
            [row.text.split("\n") for row in rows],
            [["espresso", "95 %"], ["cup", "1.5 %"], ["consomme", "0.8 %"]],
        )
        path, headers, body = server.asked[-1]
        self.assertEqual(path, "/v1/pipelines/image_classify")
        self.assertTrue(headers["Content-Type"].startswith("multipart/form-data"))
        self.assertIn(b'name="image"; filename="cup.png"', body)
        self.assertIn(page_server.PNG, body)
        self.assertGreater(
            self.run_js("return document.querySelector('figure img').naturalWidth"), 0
        )

    def test_a_sound_is_chosen(self):
        self.serve("speech_to_text")
        sound = page_server.temporary("talk.wav", page_server.WAV)
        self.addCleanup(sound.unlink)
        self.one("input[type=file]").send_keys(str(sound))
        rows = self.wait(lambda: self.all(".moments li"))
        self.assertEqual(
            [row.text.split("\n")[:2] for row in rows],
            [
                ["0:00", s["text"]] if i == 0 else ["0:03", s["text"]]
                for i, s in enumerate(page_server.SEGMENTS)
            ],
        )
        self.one(".moments li:nth-child(2) .time").click()
        self.wait(
            lambda: abs(self.run_js("return document.querySelector('audio').currentTime") - 3.4)
            < 0.01
        )

    def test_a_long_sound_is_read_as_it_comes(self):
        server = self.serve("speech_to_text", pace=0.1)
        self.drop(page_server.WAV, "talk.wav", "audio/wav")
        self.wait(lambda: self.one(".so-far").text.startswith("And Mr. John"))
        self.one(".busy button").click()
        self.wait(lambda: not self.one(".busy").is_displayed())
        self.assertTrue(server.gone.wait(5), "the server goes on for nobody")
        self.assertEqual(self.all(".moments"), [])

    def test_speech_comes_as_wav(self):
        server = self.serve("speech_to_text")
        speak = next(b for b in self.all(".drop button") if "Speak" in b.text)
        speak.click()
        self.wait(lambda: "Stop listening" in speak.text)
        time.sleep(0.6)
        speak.click()
        self.wait(lambda: self.all(".moments li"))
        _, _, body = server.asked[-1]
        self.assertIn(b'name="audio"; filename="spoken.wav"', body)
        wav = body[body.index(b"RIFF") :]
        self.assertEqual(wav[8:16], b"WAVEfmt ")
        self.assertEqual(int.from_bytes(wav[24:28], "little"), 16000)
        self.assertGreater(int.from_bytes(wav[40:44], "little"), 8000)

    def test_a_message_is_spoken(self):
        self.serve("gemma_chat")
        speak = self.one(".writing button[title=Speak]")
        speak.click()
        self.wait(lambda: speak.get_attribute("aria-pressed") == "true")
        time.sleep(0.3)
        speak.click()
        self.wait(lambda: self.one(".writing textarea").get_property("value") == "What I said.")

    def test_a_film_has_a_timeline(self):
        self.allowed = ("blob:",)  # no film at all: the browser cannot play it
        self.serve("video_report")
        self.drop(b"no film", "film.mp4", "video/mp4")
        self.wait(lambda: self.all(".plot .mark"))
        self.assertEqual(
            [lane.text for lane in self.all(".lane-name")], ["frames", "voice", "speech"]
        )
        names = [m.get_attribute("aria-label") for m in self.all(".mark")]
        self.assertIn("0:03 to 0:05: desktop computer, 54 %", names)
        self.assertIn("0:00 to 0:01: somebody speaks", names)
        self.assertIn("0:06 to 0:07: Done.", names)
        self.assertIn("cannot play", self.one(".stage").text)

    def test_faults_are_said(self):
        self.allowed = ("Failed to load resource",)
        server = self.serve("gemma_chat")
        server.refusals.append((429, "the queue is full.", [("Retry-After", "3")]))
        self.send("Hi")
        self.assertEqual(self.one(".fault").text, "the queue is full. Try again in 3 s.")
        self.one(".under button").click()
        self.assertEqual(self.one(".writing textarea").get_property("value"), "Hi")

    def test_a_stream_that_breaks_off(self):
        self.allowed = ("net::ERR",)
        server = self.serve("gemma_chat")
        server.answers.append(page_server.BROKEN)
        self.send("Hi")
        self.assertEqual(self.one(".fault").text, "The answer broke off.")
        self.assertEqual(self.text(".made"), "Half of")

    def test_an_error_in_a_stream(self):
        server = self.serve("gemma_chat")
        server.answers.append(page_server.FAULT)
        self.send("Hi")
        self.assertEqual(self.one(".fault").text, "the deadline is over")

    def test_a_key_is_asked_for_and_kept_in_the_tab(self):
        self.allowed = ("401",)
        server = page_server.Server(key="secret")
        self.addCleanup(server.end)
        self.url = server.url
        self.browser.get(server.url)
        self.wait(lambda: self.all("dialog[open]"))
        self.press("wrong", Keys.ENTER)
        self.wait(lambda: "does not know" in self.one("#key-title").text)
        self.press("secret", Keys.ENTER)
        self.wait(lambda: len(self.all("#models button")) == len(page_server.MODELS))
        self.assertEqual(self.all("dialog[open]"), [])
        kept = self.run_js(
            "return [Object.values(sessionStorage), localStorage.length, document.cookie]"
        )
        self.assertEqual(kept, [["secret"], 0, ""])
        self.send("Hi")
        self.wait_for_answer()
        self.assertEqual(server.asked[-1][1]["Authorization"], "Bearer secret")

    def test_the_server_is_seen_live(self):
        self.serve("gemma_chat", pace=0.08)
        self.send("Hi")
        self.wait(lambda: self.text("#running") == "1")
        self.wait(lambda: float(self.text("#rate")) > 0)

    def test_fits_a_phone(self):
        self.serve("image_classify", size=PHONE)
        self.drop(page_server.PNG, "cup.png", "image/png")
        self.wait(lambda: self.all(".bars li"))
        for model in page_server.MODELS:
            self.one("#open-menu").click()
            self.wait(lambda: self.one("#models button").is_displayed())
            self.run_js("document.querySelector(`[data-name=${arguments[0]}]`).click()", model)
            self.assertEqual(self.one("#top-name").text, model)
            width = self.run_js("return document.documentElement.scrollWidth")
            self.assertLessEqual(width, PHONE[0], model)
            small = [
                b.get_attribute("outerHTML")[:80]
                for b in self.all("main button")
                if b.is_displayed() and b.size["height"] < 30
            ]
            self.assertEqual(small, [])
        self.one("#open-menu").click()
        self.press(Keys.ESCAPE)
        self.assertEqual(self.active(), "Models")

    def test_colours_can_be_read(self):
        """From: WCAG 2.2, 1.4.3: 4.5 to 1 between text and ground."""
        for scheme in ("light", "dark"):
            self.browser.execute_cdp_cmd(
                "Emulation.setEmulatedMedia",
                {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
            )
            self.serve("gemma_chat")
            colour = lambda name: self.run_js(
                """
                const probe = document.body.appendChild(document.createElement('i'));
                probe.style.color = `var(${arguments[0]})`;
                const rgb = getComputedStyle(probe).color.match(/[\\d.]+/g).map(Number);
                probe.remove();
                return rgb;""",
                name,
            )
            for front, back in [
                ("--ink", "--ground"),
                ("--soft", "--ground"),
                ("--soft", "--side"),
                ("--ink", "--tint"),
                ("--accent", "--ground"),
                ("--accent", "--raised"),
                ("--on-accent", "--accent"),
                ("--fault", "--ground"),
            ]:
                self.assertGreaterEqual(
                    contrast(colour(front), colour(back)), 4.5, (scheme, front, back)
                )


def contrast(a, b):
    def light(rgb):
        parts = [c / 255 for c in rgb[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(a), light(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@unittest.skipUnless(os.environ.get("PIPELINE_SERVE"), "PIPELINE_SERVE names no program")
class Real(PageCase):
    """Against the program, with real models."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        files = [
            ROOT / f"pipelines/{name}.yaml"
            for name in ("gemma_chat", "gemma_text", "image_classify")
        ]
        cls.program = subprocess.Popen(
            [os.environ["PIPELINE_SERVE"], *files, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        cls.address = re.search(r"http://[\d.]+:\d+", cls.program.stdout.readline())[0] + "/"
        for _ in range(600):
            try:
                urllib.request.urlopen(cls.address + "health")
                break
            except OSError:
                time.sleep(0.1)

    @classmethod
    def tearDownClass(cls):
        cls.program.terminate()
        cls.program.wait(30)
        cls.program.stdout.close()
        super().tearDownClass()

    def test_the_policy(self):
        with urllib.request.urlopen(self.address) as answer:
            self.assertEqual(answer.headers["Content-Security-Policy"], page_server.POLICY)
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(answer.headers["Referrer-Policy"], "no-referrer")
        self.url = self.address

    def test_chat_and_stop(self):
        self.open(self.address, "gemma_chat")
        self.send("Count to a thousand.")
        self.wait(lambda: self.text(".made"), 30)
        self.press(Keys.ESCAPE)
        self.wait_for_answer()

    def test_a_text_goes_on(self):
        self.open(self.address, "gemma_text")
        self.one("[aria-controls$=settings]").click()
        self.one("#gemma_text-max_tokens").clear()
        self.one("#gemma_text-max_tokens").send_keys("6")
        self.one("#gemma_text-temperature").send_keys("0")
        self.send("January, February, March,")
        self.wait_for_answer()
        self.assertEqual(self.text(".made"), " April, May, June,")
        self.assertIn("6 tokens", self.text(".measured"))

    def test_a_picture(self):
        self.open(self.address, "image_classify")
        self.drop(page_server.PNG, "a.png", "image/png")
        self.assertEqual(len(self.wait(lambda: self.all(".bars li"), 30)), 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
