"""The transformers backend: the bundled model, and small random ones where a kind of cache or token matters."""

import asyncio
import json
import shutil
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import safetensors.torch
import torch
import transformers

import skythought.models
from skythought.backends.chat import Chat
from skythought.backends.transformers.backend import TransformersBackend
from skythought.config import ModelConfig
from skythought.errors import BackendError, UserError
from skythought.types import Request, SampleKey, SamplingParams

pytestmark = pytest.mark.engine

TINY = Path(skythought.models.__file__).parent / "tiny"


def sums(number):
    return f"What is {number * 7 % 90} + {number * 31 % 80}?"


def request(number, content=None, *, seed=None, prefill=None, system=None, max_tokens=128, **sampling):
    said = {"system": system, "user": content or sums(number), "assistant": prefill}
    messages = tuple({"role": role, "content": text} for role, text in said.items() if text is not None)
    params = SamplingParams(max_tokens=max_tokens, **sampling)
    return Request(SampleKey(str(number), 0), messages, params, number if seed is None else seed)


def backend(model=TINY, *, batch_size=64, config=None, **args):
    settings = ModelConfig(model_id=str(model), **(config or {}))
    return TransformersBackend(settings, TransformersBackend.check_args({"threads": 1, **args}), batch_size=batch_size)


def answers(engine, requests):
    """All responses by number of the request."""

    async def run():
        async with engine:
            return {int(answer.key.problem_id): answer async for answer in engine.generate(requests)}

    return asyncio.run(run())


def answer(asked, model=TINY, **options):
    return next(iter(answers(backend(model, **options), [asked]).values()))


def copy_of_tiny(folder, **tokenizer_config):
    """The bundled model with another tokenizer configuration."""
    shutil.copytree(TINY, folder, dirs_exist_ok=True)
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **tokenizer_config}))
    return folder


def random_model(folder, config):
    """A model with random weights and the bundled model's tokenizer."""
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TINY / name, folder)
    return folder


SMALL = {
    "vocab_size": 768, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 16, "max_position_embeddings": 512, "initializer_range": 0.3,
    "bos_token_id": None, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
ALTERNATING = ["sliding_attention", "full_attention"] * 2
KINDS = {
    "grouped heads": lambda: transformers.Qwen3Config(**SMALL),
    "sliding window": lambda: transformers.Gemma3TextConfig(**SMALL, sliding_window=16, layer_types=ALTERNATING),
    "absolute positions": lambda: transformers.GPT2Config(
        vocab_size=768, n_embd=64, n_layer=3, n_head=4, n_positions=512, initializer_range=0.3, eos_token_id=2
    ),
    "recurrent": lambda: transformers.MambaConfig(
        vocab_size=768, hidden_size=64, num_hidden_layers=2, state_size=8, initializer_range=0.3, eos_token_id=2
    ),
    "own kind of cache": lambda: transformers.FalconH1Config(
        **SMALL, mamba_d_ssm=64, mamba_n_heads=4, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=1
    ),
}


class TestTexts:
    def test_an_answer_has_text_reason_tokens_and_time(self):
        found = answer(request(3))
        assert "\\boxed{" in found.content
        assert "<|im_end|>" not in found.content
        assert found.finish_reason == "stop"
        assert found.error is None
        assert found.prompt_tokens > 5
        assert found.completion_tokens > 5
        assert found.seconds > 0

    def test_the_text_is_that_of_the_library(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(TINY)
        model = transformers.AutoModelForCausalLM.from_pretrained(TINY, dtype=torch.float32)
        found = answers(backend(batch_size=5), [request(n) for n in range(12)])
        for number, given in found.items():
            prompt = tokenizer.apply_chat_template(
                list(request(number).messages), add_generation_prompt=True, return_tensors="pt", return_dict=True
            )
            start = prompt["input_ids"].shape[1]
            tokens = model.generate(prompt["input_ids"], max_new_tokens=128, do_sample=False)[0, start:]
            assert given.content == tokenizer.decode(tokens, skip_special_tokens=True)
            assert given.prompt_tokens == start
            assert given.completion_tokens == len(tokens)

    def test_a_prefill_is_continued(self):
        whole = answer(request(3)).content
        prefill = whole[: whole.index("=")]
        found = answer(request(3, prefill=prefill))
        assert found.content == whole
        assert found.thinking_open == ("</think>" not in prefill)

    def test_the_system_prompt_is_read(self):
        plain, told = (answer(request(3, system=system)) for system in (None, "You are a pirate."))
        assert told.prompt_tokens > plain.prompt_tokens + 5

    def test_template_arguments(self, tmp_path):
        template = "{% for m in messages %}{{ m.content }}{% endfor %}{% if loud %}LOUD LOUD LOUD{% endif %}"
        model = copy_of_tiny(tmp_path / "m", chat_template=template)
        plain = answer(request(3, max_tokens=2), model)
        loud = answer(request(3, max_tokens=2), model, config={"chat_template_kwargs": {"loud": True}})
        assert loud.prompt_tokens > plain.prompt_tokens

    def test_template_arguments_that_change_nothing_are_said(self, tmp_path):
        template = "{% for m in messages %}{{ m.content }}{% endfor %}{% if thinking %}!{% endif %}"
        model = copy_of_tiny(tmp_path / "m", chat_template=template)
        engine = backend(model, config={"chat_template_kwargs": {"loud": True}})
        answers(engine, [request(3, max_tokens=1)])
        assert engine.notices.lines == [
            "the model's chat template does not read 'loud' (--chat-template-kwargs): it changes nothing. It reads "
            "thinking."
        ]

    def test_reasoning_effort_is_the_templates(self, tmp_path):
        template = "{% for m in messages %}{{ m.content }}{% endfor %}{{ 'long ' * 9 if reasoning_effort == 'high' }}"
        model = copy_of_tiny(tmp_path / "m", chat_template=template)
        low, high = (answer(request(3, max_tokens=2, reasoning_effort=effort), model) for effort in ("low", "high"))
        assert high.prompt_tokens > low.prompt_tokens
        with pytest.raises(UserError, match="its chat template knows no reasoning_effort"):
            answer(request(3, max_tokens=2, reasoning_effort="high"))

    @pytest.mark.parametrize("stop", ["\\boxed", "answer is", "</think>", "\n\nThe"])
    def test_stop_strings_end_the_text_before_them(self, stop):
        whole = answer(request(3)).content
        assert stop in whole
        found = answer(request(3, stop=("never written", stop)))
        assert found.content == whole[: whole.index(stop)]
        assert found.finish_reason == "stop"

    def test_a_stop_string_may_be_kept(self):
        whole = answer(request(3)).content
        found = answer(request(3, stop=("answer is",), engine={"include_stop_str_in_output": True}))
        assert found.content == whole[: whole.index("answer is")] + "answer is"

    def test_length_and_end_are_the_users(self):
        whole = answer(request(3))
        least = whole.completion_tokens + 7
        longer = answer(request(3, max_tokens=least + 5, engine={"min_tokens": least}))
        assert longer.completion_tokens >= least
        endless = answer(request(3, max_tokens=least, engine={"ignore_eos": True}))
        assert (endless.completion_tokens, endless.finish_reason) == (least, "length")

    def test_tokens_that_end_it(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(TINY)
        box = tokenizer.encode("<think>", add_special_tokens=False)[0]
        found = answer(request(3, engine={"stop_token_ids": [box]}))
        assert (found.completion_tokens, found.finish_reason) == (1, "stop")
        later = answer(request(3, max_tokens=9, engine={"stop_token_ids": [box], "min_tokens": 3}))
        assert later.completion_tokens >= 3

    def test_control_tokens_may_be_shown(self):
        tokenizer = transformers.AutoTokenizer.from_pretrained(TINY)
        chat = Chat(tokenizer, ModelConfig(model_id="m"), {2})
        tokens = [*tokenizer.encode("so", add_special_tokens=False), 1, 2]
        assert chat.text([], tokens, SamplingParams()) == "so"
        assert chat.text([], tokens, SamplingParams(engine={"skip_special_tokens": False})) == "so<|im_start|>"

    def test_leading_spaces_survive(self):
        whole = answer(request(3)).content
        prefill = whole[: whole.index(" answer")]
        assert answer(request(3, prefill=prefill)).content.startswith(prefill + " answer")

    def test_special_thinking_tags_stay_and_control_tokens_go(self, tmp_path):
        model = copy_of_tiny(tmp_path / "m")
        for name, entries in (("tokenizer.json", "added_tokens"), ("tokenizer_config.json", "added_tokens_decoder")):
            content = json.loads((model / name).read_text())
            tokens = content[entries]
            for token in tokens.values() if isinstance(tokens, dict) else tokens:
                token["special"] = True
            (model / name).write_text(json.dumps(content))
        assert answer(request(3), model).content == answer(request(3)).content


class TestThinkingOpen:
    @pytest.mark.parametrize(
        ("ending", "opened"),
        [("", False), ("<think>\n", True), ("<think>\n\n</think>\n\n", False), ("[THINK]", True)],
    )
    def test_it_is_seen_in_the_template(self, tmp_path, ending, opened):
        template = "{{ messages[0].content }}" + ending
        model = copy_of_tiny(tmp_path / "m", chat_template=template)
        assert answer(request(3, max_tokens=1), model).thinking_open is opened

    def test_tags_in_the_question_do_not_count(self):
        assert not answer(request(3, "What does <think> mean?", max_tokens=1)).thinking_open

    def test_the_model_may_have_tags_of_its_own(self):
        config = {"thinking_tags": [("<hm>", "</hm>")]}
        assert answer(request(3, prefill="<hm> so", max_tokens=1), config=config).thinking_open
        assert not answer(request(3, prefill="<think>", max_tokens=1), config=config).thinking_open


class TestDeterminism:
    @pytest.mark.parametrize("temperature", [0.0, 0.7])
    def test_a_sample_does_not_depend_on_its_batch(self, temperature):
        asked = [request(n, sums(n % 40), temperature=temperature) for n in range(96)]  # some prompts twice
        together = answers(backend(), asked)
        backwards = answers(backend(batch_size=7), reversed(asked))
        alone = answers(backend(batch_size=1), asked[:12])
        assert len(together) == len(backwards) == 96
        assert {n: r.content for n, r in backwards.items()} == {n: r.content for n, r in together.items()}
        assert {n: r.content for n, r in alone.items()} == {n: together[n].content for n in range(12)}

    def test_seeds_make_samples_differ(self):
        asked = [request(n, sums(3), temperature=1.0) for n in range(16)]
        assert len({r.content for r in answers(backend(), asked).values()}) > 2

    def test_rows_of_different_parameters_share_a_batch(self):
        kinds = [
            {}, {"temperature": 1.0}, {"temperature": 1.0, "top_k": 1}, {"temperature": 1.0, "top_p": 1e-6},
            {"temperature": 2.0, "min_p": 1.0}, {"repetition_penalty": 3.0},
        ]  # fmt: skip
        asked = [request(n, sums(3), seed=5, **kind) for n, kind in enumerate(kinds)]
        together = answers(backend(), asked)
        greedy = together[0].content
        assert [together[n].content for n in (2, 3, 4)] == [greedy] * 3  # each leaves the likeliest token alone
        assert together[5].content != greedy
        for number, one in enumerate(asked):
            assert answer(one).content == together[number].content

    def test_no_global_randomness(self):
        torch.manual_seed(1)
        first = answer(request(3, temperature=1.0))
        torch.manual_seed(2)
        assert answer(request(3, temperature=1.0)).content == first.content


@pytest.mark.parametrize("kind", KINDS)
def test_rows_come_and_go_in_every_kind_of_cache(tmp_path, kind):
    model = random_model(tmp_path, KINDS[kind]())
    dice = Random(1)
    asked = [request(n, "7 " * dice.choice([1, 8, 40]), max_tokens=dice.choice([2, 10, 40])) for n in range(24)]
    engine = backend(model, batch_size=6)
    together = answers(engine, asked)
    alone = answers(backend(model, batch_size=1), asked)
    assert {n: r.content for n, r in together.items()} == {n: r.content for n, r in alone.items()}
    assert any("takes no new sequences" in line for line in engine.notices.lines) == (kind == "own kind of cache")


class TestLimits:
    def test_max_tokens_beyond_the_context_is_clamped_and_said_once(self):
        engine = backend(max_model_len=60)
        found = answers(engine, [request(n, max_tokens=32768, temperature=2.0) for n in range(6)])
        assert all(r.prompt_tokens + r.completion_tokens <= 60 for r in found.values())
        assert any(r.finish_reason == "length" for r in found.values())
        (line,) = engine.notices.lines
        assert "32768" in line
        assert "60" in line
        assert engine.context_length == 60

    def test_a_prompt_without_room_is_an_error_of_that_sample_alone(self):
        found = answers(backend(batch_size=2), [request(1), request(2, "7 " * 5000), request(3)])
        assert found[2].error is not None
        assert "4096" in found[2].error
        assert str(found[2].prompt_tokens) in found[2].error
        assert found[1].error is found[3].error is None

    def test_the_context_is_the_model_s(self):
        engine = backend()
        answers(engine, [])
        assert engine.context_length == 4096
        assert engine.notices.lines == []


class TestFlow:
    def test_requests_are_pulled_as_there_is_room(self):
        pulled, ahead, got = 0, [], 0

        def source():
            nonlocal pulled
            for n in range(40):
                pulled += 1
                ahead.append(pulled - got)
                yield request(n, max_tokens=2 + n % 9)

        async def run():
            nonlocal got
            engine = backend(batch_size=4)
            async with engine:
                async for _ in engine.generate(source()):
                    got += 1

        asyncio.run(run())
        assert got == pulled == 40
        assert max(ahead) <= 5  # the one whose answer is being handed over included

    def test_answers_come_in_order_of_completion(self):
        asked = [request(1, max_tokens=60), request(2, max_tokens=2), request(3, max_tokens=30)]
        assert list(answers(backend(), asked)) == [2, 3, 1]

    def test_each_key_is_answered_once(self):
        async def run():
            async with backend(batch_size=3) as engine:
                return [r.key async for r in engine.generate(request(n, max_tokens=1 + n % 5) for n in range(20))]

        assert sorted(asyncio.run(run())) == sorted(request(n).key for n in range(20))

    def test_cancelling_stops_the_thread(self, monkeypatch):
        steps = []

        async def run():
            async with backend(batch_size=8) as engine:
                monkeypatch.setattr(engine, "_ended", lambda row: steps.append(row) and False)
                async with asyncio.timeout(0.5):
                    async for _ in engine.generate(request(n) for n in range(99)):
                        pass

        with pytest.raises(TimeoutError):
            asyncio.run(run())  # waits for its threads, so it would not return while one goes on
        assert steps

    def test_closing_after_the_first_answer(self):
        async def run():
            async with backend(batch_size=8) as engine:
                responses = engine.generate(request(n, max_tokens=2 + 400 * n) for n in range(99))
                first = await anext(responses)
                await responses.aclose()
                return first

        assert asyncio.run(run()).key == SampleKey("0", 0)

    def test_two_runs_of_one_engine(self):
        async def run():
            engine = backend()
            async with engine:
                return [[r.content async for r in engine.generate([request(3)])] for _ in range(2)]

        first, second = asyncio.run(run())
        assert first == second

    def test_an_error_of_the_source_comes_out(self):
        def source():
            yield request(1)
            raise LookupError("no more")

        with pytest.raises(LookupError, match="no more"):
            answers(backend(), source())

    @pytest.mark.parametrize(
        ("raised", "said"),
        [(torch.OutOfMemoryError("CUDA out of memory."), "--batch-size"), (RuntimeError("device lost"), "device lost")],
    )
    def test_an_engine_that_dies_is_one_error(self, monkeypatch, raised, said):
        def fail(*_, **__):
            raise raised

        monkeypatch.setattr(transformers.LlamaModel, "forward", fail)
        with pytest.raises(BackendError, match=said) as caught:
            answers(backend(), [request(1)])
        assert "\n" not in str(caught.value)


class TestLoading:
    @pytest.mark.parametrize("model", ["/no/such/folder", "./nowhere", "nobody/no-such-model", "not a name!"])
    def test_a_wrong_model_is_one_line_that_names_it(self, monkeypatch, model):
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(UserError) as caught:
            answers(backend(model), [])
        assert model in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_a_folder_without_a_model(self, tmp_path):
        with pytest.raises(UserError, match=r"config\.json"):
            answers(backend(tmp_path), [])

    def test_broken_weights(self, tmp_path):
        model = copy_of_tiny(tmp_path / "m")
        (model / "model.safetensors").write_bytes(b"nothing")
        with pytest.raises(BackendError, match="weights"):
            answers(backend(model), [])

    def test_missing_weights_are_said(self, tmp_path):
        model = copy_of_tiny(tmp_path / "m")
        weights = safetensors.torch.load_file(model / "model.safetensors")
        del weights["model.norm.weight"]
        safetensors.torch.save_file(weights, model / "model.safetensors", {"format": "pt"})
        engine = backend(model)
        answers(engine, [])
        (line,) = engine.notices.lines
        assert "model.norm.weight" in line

    def test_code_of_the_model_s_own_must_be_allowed(self, tmp_path):
        config = {"model_type": "zork", "auto_map": {"AutoConfig": "code.Config"}}
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(UserError, match="trust_remote_code=true"):
            answers(backend(tmp_path), [])

    def test_a_device_that_is_not_there(self):
        with pytest.raises(UserError, match="'abacus'"):
            answers(backend(device="abacus"), [])

    def test_a_template_that_refuses(self, tmp_path):
        template = "{{ raise_exception('no system turn, please') }}"
        model = copy_of_tiny(tmp_path / "m", chat_template=template)
        with pytest.raises(UserError, match="no system turn, please"):
            answers(backend(model), [request(1)])

    def test_a_model_without_template_reads_plain_text(self, tmp_path):
        engine = backend(copy_of_tiny(tmp_path / "m", chat_template=None))
        found = answers(engine, [request(n, "seven", prefill="eight", max_tokens=3) for n in range(2)])
        tokenizer = transformers.AutoTokenizer.from_pretrained(TINY)
        assert found[0].prompt_tokens == len(tokenizer.encode("seven\n\neight"))
        (line,) = engine.notices.lines
        assert "no chat template" in line

    def test_lower_precision(self):
        assert "\\boxed{" in answer(request(3), dtype="bfloat16").content

    def test_nothing_is_written_to_the_terminal(self, capfd):
        answer(request(3, temperature=0.7))
        assert capfd.readouterr() == ("", "")
