"""Open the pages of a built site in chromium: ``python docs/check_pages.py SITE [PAGE ...]``.

At 1400 and 390 pixels, in light and dark: no page scrolls sideways; all mathematics is set; texts contrast with their
background (4.5 to 1, large ones 3 to 1); what scrolls or can be pressed is reached by keyboard and has a name; no
script fails; nothing is asked of another host; and the search finds what theorists search. ``--pictures`` keeps
pictures of the pages. It needs chromium in the path and no Python packages.
"""

import argparse
import base64
import fcntl
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from urllib.parse import quote

WIDTHS, THEMES = (1400, 390), ("light", "dark")
SEARCHES = ("edge of chaos", "R-hat", "Fano")
# chromium speaks through file descriptors 3 and 4 of its own, so that no port and no library is needed
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class Browser:
    """One chromium with one page, spoken to in its own protocol."""

    def __init__(self, folder):
        command = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if command is None:
            raise SystemExit("chromium is not in the path; install it, or check files alone by docs/check_links.py")
        options = ["--headless", "--remote-debugging-pipe", f"--user-data-dir={folder}", "--hide-scrollbars"]
        options += ["--no-sandbox"] if os.geteuid() == 0 else []  # it refuses to run as root otherwise
        (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
        high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (theirs_in, theirs_out)]
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-c", LAUNCH, *map(str, high), command, *options],
            pass_fds=high,
            stderr=subprocess.DEVNULL,
        )
        for each in (theirs_in, theirs_out, *high):
            os.close(each)
        self.to, self.answers, self.rest = ours_out, ours_in, b""
        self.number, self.events, self.session = 0, [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for room in ("Page", "Network", "Runtime"):
            self.ask(f"{room}.enable")

    def ask(self, method, **parameters):
        """Return the answer to one request; what happens meanwhile is kept in `events`."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def read(self):
        """Return the next message."""
        while b"\0" not in self.rest:
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("chromium ended")
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def look(self, width, theme):
        """Set the width of the window and the theme that the reader's system prefers."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.run("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    def run(self, script):
        """Run a script on the page, wait for it, and return its value."""
        said = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in said:
            raise RuntimeError(said["exceptionDetails"]["exception"]["description"])
        return said["result"].get("value")

    def open(self, address):
        """Go to an address, and wait until it is loaded and its mathematics set."""
        self.events = []
        self.ask("Page.navigate", url=address)
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.read())
        self.run("(async () => { if (window.MathJax) await MathJax.startup.promise; await document.fonts.ready; })()")

    def picture(self, file):
        """Write a picture of the whole page."""
        height = self.run("Math.min(6000, document.documentElement.scrollHeight)")
        width = self.run("window.innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self):
        """End chromium."""
        self.process.kill()
        self.process.wait()


def troubles(browser, origin):
    """Return what went wrong while a page loaded: failed scripts and files, requests to other hosts."""
    faults = []
    for event in browser.events:
        said = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            faults.append(f"script: {said['exceptionDetails'].get('exception', {}).get('description', '?')}")
        if event.get("method") == "Network.requestWillBeSent":
            address = said["request"]["url"]
            if not address.startswith((origin, "data:", "about:", "blob:")):
                faults.append(f"from elsewhere: {address}")
        if event.get("method") == "Network.responseReceived" and said["response"]["status"] >= 400:
            faults.append(f"{said['response']['status']}: {said['response']['url']}")
    return faults


def check_page(browser, origin, name, pictures):
    """Return the faults of a page in each width and theme."""
    browser.look(WIDTHS[0], THEMES[0])
    browser.open(f"{origin}/{quote(name)}")
    seen_at = {fault: ["loading"] for fault in troubles(browser, origin)}
    script = Path(__file__).with_name("check_pages.js").read_text(encoding="utf-8")
    for width in WIDTHS:
        for theme in THEMES:
            browser.look(width, theme)
            for fault in browser.run(script):
                seen_at.setdefault(fault, []).append(f"{width} {theme}")
            if pictures:
                browser.picture(pictures / f"{name.replace('/', '-').removesuffix('.html')}-{width}-{theme}.png")
    return [f"{fault} ({', '.join(where)})" for fault, where in seen_at.items()]


def check_search(browser, origin, words):
    """Return a fault if the search does not find words, and print what it puts first."""
    browser.open(f"{origin}/search.html?q={quote(words)}")
    wait = """(async () => {
        for (let i = 0; i < 100; i++) {
            const said = document.querySelector(".search-summary")?.textContent || "";
            const found = [...document.querySelectorAll("#search-results li a")].map((a) => a.textContent);
            if (found.length && /finished|found/i.test(said)) return found;
            await new Promise((done) => setTimeout(done, 100));
        }
        return [];
    })()"""
    results = browser.run(wait)
    print(f"search {words!r}: {len(results)} pages, first {results[:4]}")
    return [] if results else [f"nothing for {words!r}"]


def serve(site):
    """Serve the site to this machine alone, on a free port; return the server and its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def main(arguments):
    """Print the faults of all pages, or of those that are named; return how many there are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("pages", nargs="*", help="paths below SITE; all but those of source code unless given")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of each page, width and theme")
    given = parser.parse_args(arguments)
    every = [str(file.relative_to(given.site)) for file in sorted(given.site.rglob("*.html"))]
    if "index.html" not in every:
        parser.error(
            f"{given.site} is not a built site: it has no index.html; python -m sphinx -W docs site builds one"
        )
    pages = given.pages or [page for page in every if not page.startswith("_modules/")]
    if unknown := sorted(set(pages) - set(every)):
        parser.error(f"not in {given.site}: {', '.join(unknown)}; paths are like tutorials/index.html")
    if given.pictures:
        given.pictures.mkdir(parents=True, exist_ok=True)
    server, origin = serve(given.site)
    count = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(folder)
        try:
            faults = {name: check_page(browser, origin, name, given.pictures) for name in pages}
            faults["search.html?q="] = [fault for words in SEARCHES for fault in check_search(browser, origin, words)]
        finally:
            browser.close()
            server.shutdown()
    for name, wrong in faults.items():
        if wrong:
            print(name, *wrong, sep="\n    ")
            count += len(wrong)
    print(f"{len(pages)} pages at {WIDTHS} pixels in {' and '.join(THEMES)}: {count} faults")
    return count


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
