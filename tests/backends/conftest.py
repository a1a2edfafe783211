import pytest


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    """The keys and addresses of whoever runs the tests are not for them."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.delenv(name, raising=False)
