"""Open the built site in headless Chromium with the network off: ``python run.py book --check``.

Looked for on every page at 390 and 1280 pixels: requests that fail or leave the site, formulas left as text, a page wider
than the screen, text with too little contrast, pictures without alternative text, and places that the Tab key cannot leave.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--remote-allow-origins=*",
    "--proxy-server=127.0.0.1:9", "--hide-scrollbars",
)  # fmt: skip
LOOK = """
(() => {
  const faults = [];
  const name = (e) => e.tagName.toLowerCase() + (e.className && e.className.split ? "." + e.className.split(" ")[0] : "");
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width + 1) {
    const far = [...document.querySelectorAll("main *")].filter((e) => {
      if (e.getBoundingClientRect().right <= width + 1) return false;
      for (let p = e; p; p = p.parentElement) if (/auto|scroll|hidden/.test(getComputedStyle(p).overflowX)) return false;
      return true;
    });
    faults.push(`wider than the screen: ${document.documentElement.scrollWidth} of ${width} px, ` + far.slice(0, 3).map(name));
  }
  document.querySelectorAll(".formula").forEach((f) => {
    if (!f.querySelector(".katex") || f.querySelector(".katex-error")) faults.push("formula not drawn: " + f.textContent.slice(0, 60));
  });
  document.querySelectorAll("img").forEach((i) => {
    if (!i.alt.trim() && !i.closest("[aria-hidden]")) faults.push("picture without alternative text: " + i.src.slice(-60));
    if (i.complete && !i.naturalWidth) faults.push("picture not shown: " + i.src.slice(-60));
  });
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const light = (c) => {
    const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const over = (a, b) => [0, 1, 2].map((k) => a[k] * a[3] + b[k] * (1 - a[3])).concat(1);
  const pale = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !e.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
    if (e.closest("script, style, .katex, svg")) continue;
    const layers = [];
    for (let p = e; p; p = p.parentElement) { const c = parse(getComputedStyle(p).backgroundColor); if (c[3]) layers.push(c); }
    const back = layers.reverse().reduce((under, c) => over(c, under), [255, 255, 255, 1]);
    const style = getComputedStyle(e), fore = over(parse(style.color), back);
    const [x, y] = [light(fore), light(back)].sort((a, b) => b - a);
    const ratio = (x + 0.05) / (y + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.6 && parseInt(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5) - 0.01) pale.set(name(e), `contrast ${ratio.toFixed(2)} in ${name(e)}: ${e.textContent.trim().slice(0, 30)}`);
  }
  return JSON.stringify([...faults, ...pale.values()]);
})()
"""
FOCUS = """
(() => { const e = document.activeElement; if (!e || e === document.body) return "";
  e.dataset.seen = e.dataset.seen || String(document.querySelectorAll("[data-seen]").length + 1);
  const s = getComputedStyle(e);
  const marked = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none";
  return e.dataset.seen + (marked ? "" : " no mark on " + e.tagName + "." + e.className); })()
"""


class Browser:
    """Chromium, spoken to through its debugging port."""

    def __init__(self, program: str, profile: str) -> None:
        from urllib.request import ProxyHandler, build_opener

        import websocket

        self.process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        port_file, waited = Path(profile) / "DevToolsActivePort", 0.0
        while (
            not (port_file.exists() and port_file.read_text().strip()) and waited < 60 and self.process.poll() is None
        ):
            time.sleep(0.1)
            waited += 0.1
        if not port_file.exists():
            raise OSError(f"{program} did not start")
        port = port_file.read_text().split()[0]
        direct = build_opener(ProxyHandler({}))
        pages = json.load(direct.open(f"http://127.0.0.1:{port}/json"))
        address = next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
        self.socket = websocket.create_connection(address, timeout=300, http_no_proxy=["127.0.0.1"])
        self.numbers, self.events = itertools.count(1), []
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == number:
                if "error" in message:
                    raise OSError(f"{method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    def run(self, script: str) -> Any:
        return self.call("Runtime.evaluate", expression=script, awaitPromise=True)["result"].get("value")

    def size(self, width: int, height: int = 900) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def open(self, address: str) -> list[str]:
        """Load a page; what its requests did wrong."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        ready = "document.readyState === 'complete'"
        for _ in range(300):
            if self.run(f"location.href.split('#')[0] === {json.dumps(address)} && {ready}"):
                break
            time.sleep(0.05)
        else:
            return ["the page did not finish loading"]
        self.run("document.fonts.ready.then(() => 1)")
        asked, faults = {}, []
        for event in self.events:
            about = event.get("params", {})
            if event.get("method") == "Network.requestWillBeSent":
                url = asked[about["requestId"]] = about["request"]["url"]
                if not url.startswith(("file:", "data:", "blob:", "about:", "chrome:")):
                    faults.append(f"asks for {url}")
            if event.get("method") == "Network.loadingFailed" and not about.get("canceled"):
                faults.append(f"cannot load {asked.get(about['requestId'], '?')}: {about['errorText']}")
            if event.get("method") == "Runtime.exceptionThrown":
                faults.append("script: " + about["exceptionDetails"]["exception"].get("description", "?")[:120])
        return faults

    def tab_through(self, steps: int) -> list[str]:
        """Press Tab; each press has to reach another element, and the element has to show it."""
        seen, faults = [], []
        for _ in range(steps):
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            at = self.run(FOCUS) or ""
            if " " in at:
                faults.append(at.partition(" ")[2])
            seen.append(at.partition(" ")[0])
        if len(set(seen)) < min(steps, 10):
            faults.append(f"Tab reaches {len(set(seen))} places in {steps} presses")
        return sorted(set(faults))

    def picture(self, path: Path) -> None:
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(b64decode(data))

    def close(self) -> None:
        try:
            self.call("Browser.close")
        except Exception:  # noqa: BLE001  (it may close the line before it answers)
            pass
        self.process.terminate()
        self.process.wait(20)


def look(browser: Browser, site: Path, pages: list[str], pictures: Path | None) -> dict[str, list[str]]:
    """Faults by page."""
    found: dict[str, list[str]] = {}
    for page in pages:
        faults = []
        for width in (390, 1280):
            browser.size(width, 844 if width < 600 else 900)
            faults += browser.open((site / page).as_uri())
            faults += [f"{f} ({width} px)" for f in json.loads(browser.run(LOOK))]
            if pictures:
                browser.picture(pictures / f"{page.replace('/', '_').removesuffix('.html')}_{width}.png")
        found[page] = [*dict.fromkeys(faults), *browser.tab_through(25)]
    return found


def main(site: Path, pictures: Path | None = None) -> int:
    program = next((p for p in map(shutil.which, [os.environ.get("CHROMIUM") or NAMES[0], *NAMES]) if p), None)
    if program is None:
        print("Chromium is not on this machine (Debian and Ubuntu: apt install chromium); nothing was checked.")
        return 1
    if not (site / "index.html").exists():
        print("There is no site yet: python run.py book")
        return 1
    pages = sorted(str(p.relative_to(site).as_posix()) for p in site.rglob("*.html") if "_static" not in p.parts)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(program, profile)
        try:
            found = look(browser, site, pages, pictures)
            browser.size(1280)
            browser.open((site / "board.html").as_uri())
            board = browser.run(BOARD)
        finally:
            browser.close()
    if board != "ok":
        found["board.html"].append(str(board))
    for page, faults in found.items():
        for fault in faults:
            print(f"{page}: {fault}")
    bad = sum(bool(f) for f in found.values())
    print(f"{len(pages)} pages at 390 and 1280 px, network off: {bad or 'none'} with faults")
    return int(bad > 0)


BOARD = """
(() => { const rows = () => [...document.querySelectorAll("#board tbody tr")].filter((r) => !r.hidden);
  const all = rows().length, search = document.getElementById("board-search");
  search.value = "kim2004 exact"; search.dispatchEvent(new Event("input"));
  if (!(rows().length > 0 && rows().length < all)) return "search of the board finds nothing";
  search.value = ""; search.dispatchEvent(new Event("input"));
  document.querySelectorAll("#board th button")[4].click();
  const top = rows().slice(0, 50).map((r) => parseFloat(r.cells[4].textContent));
  return top.every((v, i) => !i || top[i - 1] <= v) ? "ok" : "the board does not sort by the printed number"; })()
"""

if __name__ == "__main__":
    where = Path(__file__).resolve().parents[2] / "build" / "book"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    sys.exit(main(where, folder))
