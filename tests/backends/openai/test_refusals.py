"""What is read from the refusals of many endpoints."""

import pytest

from skythought.backends.openai.refusals import Limits


@pytest.mark.parametrize(
    ("refusal", "asked", "fits"),
    [
        ("maximum context length is 4096 tokens. However, you requested 32799 tokens (31 in the messages, "
         "32768 in the completion).", 32768, 4065),  # vLLM 0.6
        ("'max_tokens' or 'max_completion_tokens' is too large: 32768. This model's maximum context length is 4096 "
         "tokens and your request has 31 input tokens (32768 > 4096 - 31).", 32768, 4065),  # vLLM 0.9
        ("max_tokens=32768 cannot be greater than max_model_len=2048.", 32768, 2048),  # vLLM 0.32
        ("Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a total of "
         "5031 tokens: 31 tokens from the input messages and 5000 tokens for the completion.", 5000, 4065),  # SGLang
        ("`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 31 `inputs` tokens and 5000 `max_new_tokens`",
         5000, 4065),  # TGI
        ("max_tokens is too large: 9000. This model supports at most 4096 completion tokens, whereas you provided "
         "9000.", 9000, 4096),  # OpenAI
        ("max_tokens: 9000 > 8192, which is the maximum allowed number of output tokens", 9000, 8192),  # Anthropic
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 9000, 8192),  # DeepSeek
        ("maximum context length is 2048 tokens. However, your prompt contains at least 2049 input tokens", 9, None),
        ("request (5000 tokens) exceeds the available context size (4096 tokens)", 9, None),  # llama.cpp
        ("no such parameter", 9, None),
    ],
)  # fmt: skip
def test_what_fits_is_read_from_a_refusal(refusal, asked, fits):
    assert Limits.told_by(refusal).most_tokens(asked) == fits


@pytest.mark.parametrize(
    ("refusal", "asked", "fits"),
    [
        ("This endpoint's maximum context length is 32768 tokens. However, you requested about 40031 tokens (31 of "
         "text input, 40000 in the output). Please reduce the length of either one.", 40000, 32737),  # OpenRouter
        ("`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the "
         "`context_window` for this model", 32768, 8192),  # Groq
        ("Range of max_tokens should be [1, 16384]", 32768, 16384),  # DashScope
        ("Unable to submit request because it has a maxOutputTokens value of 100000 but the supported range is from 1 "
         "(inclusive) to 65537 (exclusive). Update the value and try again.", 100000, 65536),  # Gemini
        ("max_output_tokens must be in the range [1, 8192]", 9000, 8192),
        ("Prompt contains 31 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
         40000, 32737),  # Mistral
        ("max_tokens (40000) must be <= 32,768", 40000, 32768),
        ("The prompt is too long: 31, model maximum context length: 4096", 5000, 4065),  # Fireworks
        ("max_total_tokens: (40031) must be less than or equal to max_seq_len (32768)", 40000, 32737),  # SiliconFlow
        ("length of prompt_tokens (31) must be less than max_seq_len (4096).", 5000, 4065),
        ("max_tokens must be between 1 and 8192", 9000, 8192),
        ("The maximum allowed max_tokens is 4096", 9000, 4096),
    ],
)  # fmt: skip
def test_other_endpoints_say_it_in_other_words(refusal, asked, fits):
    assert Limits.told_by(refusal).most_tokens(asked) == fits


@pytest.mark.parametrize(
    "refusal",
    [
        "Range of input length should be [1, 30720]",
        "Requests with max_tokens > 4096 must have stream=true",
        "seed must be < 9",
    ],
)
def test_numbers_about_something_else_are_no_limit(refusal):
    assert Limits.told_by(refusal).most_tokens(32768) is None
