"""One browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser import Browser


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.driver.quit()


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """The browser; in the end nothing may have been complained of, and nothing asked for beyond the page."""
    yield chromium
    assert chromium.complaints() == []
    assert [
        address for address in chromium.requests() if not address.startswith(("file:", "data:", "blob:", "about:"))
    ] == []
