"""The openai backend against a real server: `transformers serve` with the tiny model."""

import asyncio
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from asking import answers, ask

from skythought.backends.openai.backend import OpenAIBackend
from skythought.config import ModelConfig
from skythought.errors import UserError
from skythought.models.library import load_model

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The tiny model behind `transformers serve`: its address, and what it is called there."""
    for package in ("fastapi", "uvicorn", "torch", "transformers"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"`transformers serve` needs {package}")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    home = tmp_path_factory.mktemp("home")
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(load_model("tiny").path)]
    options = ["--host", "127.0.0.1", "--port", port, "--device", "cpu"]
    environment = {**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    with (home / "log").open("w") as log:
        server = subprocess.Popen([*command, *options], stdout=log, stderr=log, env=environment)
    try:
        deadline = time.monotonic() + 120
        while not healthy(port):
            assert server.poll() is None, (home / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1", str(load_model("tiny").path)
    finally:
        server.kill()
        server.wait()


def healthy(port):
    with (
        contextlib.suppress(OSError),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answered,
    ):
        return answered.status == 200
    return False


def test_a_real_server_answers(served):
    url, model = served
    requests = [ask(f"What is {n} + 25?", system="Think first.", max_tokens=100) for n in range(6)]
    limited = ask("What is 99 + 25?", max_tokens=4)

    def run():
        args = OpenAIBackend.check_args({"base_url": url, "concurrency": 4})
        backend = OpenAIBackend(ModelConfig(model_id=model), args)
        return asyncio.run(answers(backend, [*requests, limited]))

    found = run()
    assert len(found) == 7
    assert all(response.error is None and response.content for response in found.values())
    assert all(response.prompt_tokens > 10 for response in found.values())
    complete = [response for response in found.values() if response.finish_reason == "stop"]
    assert any("boxed" in response.content for response in complete)
    cut = found["What is 99 + 25?"]
    assert (cut.finish_reason, cut.completion_tokens) == ("length", 4)
    assert {key: response.content for key, response in run().items()} == {
        key: response.content for key, response in found.items()
    }


def test_a_real_server_refuses_a_wrong_name(served):
    url, model = served
    args = OpenAIBackend.check_args({"base_url": url})
    with pytest.raises(UserError, match="pinned to"):
        asyncio.run(answers(OpenAIBackend(ModelConfig(model_id=f"{model}y"), args), []))
