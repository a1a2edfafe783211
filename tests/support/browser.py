"""A real Chromium without a window, for tests of pages."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FLAGS = (
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-quic",
    "no-first-run",
    "disable-background-networking",
    "disable-component-update",
    "disable-sync",
)
WAIT = 60
"""Seconds: long, because a test machine may be busy."""


class Browser:
    """One browser; `open` shows an address in it as in a new window."""

    def __init__(self, folder: Path) -> None:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        chromedriver = shutil.which("chromedriver")
        if chromium is None or chromedriver is None:
            pytest.skip("chromium and chromedriver are not installed: the page is not tried in a browser")
        selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: no browser tests")
        from selenium.webdriver.chrome.service import Service

        options = selenium.ChromeOptions()
        options.binary_location = chromium
        for flag in FLAGS:
            options.add_argument(f"--{flag}")
        options.add_argument(f"--user-data-dir={folder / 'profile'}")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver: Any = selenium.Chrome(options=options, service=Service(chromedriver))
        self.driver.set_script_timeout(WAIT)
        self.driver.execute_cdp_cmd(
            "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder / "downloads")}
        )
        self.downloads = folder / "downloads"

    def open(self, address: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Shows an address anew, in a window of this size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme})
        self.complaints(), self.requests()
        self.driver.get(address)
        self.wait(
            lambda: self.js("return document.documentElement.classList.contains('app')"), "the page does not start"
        )

    def js(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, holds: Callable[[], Any], what: str) -> Any:
        """Waits until something holds, and returns it."""
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        waiting = WebDriverWait(self.driver, WAIT, 0.05, (StaleElementReferenceException,))
        return waiting.until(lambda _: holds(), what)

    def all(self, selector: str) -> list[Any]:
        """The elements that a selector names."""
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def one(self, selector: str) -> Any:
        """The first element of a selector, waited for."""
        return self.wait(lambda: (self.all(selector) or [None])[0], f"there is no {selector}")

    def text(self, selector: str = "#main") -> str:
        """The text of an element, as it is seen."""
        return str(self.one(selector).text)

    def until_text(self, text: str, selector: str = "#main") -> None:
        """Waits until an element has this text."""
        self.wait(lambda: text in self.text(selector), f"{selector} never says {text!r}")

    def keys(self, *keys: str) -> None:
        """Presses keys, wherever the focus is."""
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def address(self) -> str:
        """What stands after the # of the address."""
        return str(self.driver.current_url).partition("#")[2]

    def complaints(self) -> list[str]:
        """What the browser complained of since the last call: errors of scripts, and what the policy refused."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
