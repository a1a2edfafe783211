"""The tokenizer: byte-level BPE over any text, each digit a token of its own, with a ChatML-like template.

It is trained on the same generator as the model, so the wording of prompts costs few tokens, and every byte
is in the vocabulary, so nothing is ever unknown and text survives a round trip exactly.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from .noise import SENTENCES, TOPICS
from .prompts import SYSTEM_PROMPTS, TEMPLATES, make_example

VOCABULARY = 768
END_OF_TEXT, IM_START, IM_END = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CONTEXT = 4096

# Words with their leading space, single digits, punctuation, line breaks: Qwen's split.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)


def _corpus() -> Iterator[str]:
    """Text to learn merges from: conversations, and the fixed wordings a few times more."""
    rng = random.Random(7)
    for _ in range(4000):
        example = make_example(rng, bare_share=0.2, quick_share=0.2)
        turns = (*example.messages, ("assistant", example.reply))
        yield "\n".join(f"{role}\n{text}" for role, text in turns)
    for _ in range(5):
        yield from SENTENCES
        yield from TOPICS
        yield from SYSTEM_PROMPTS
        yield from TEMPLATES


def build() -> Tokenizer:
    """Train the BPE; the same generator seed gives the same merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = [END_OF_TEXT, IM_START, IM_END]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 2,
        special_tokens=special,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(), trainer)
    # Not special: they must survive `skip_special_tokens`, or the reasoning cannot be told from the answer.
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in ("<think>", "</think>")])
    return tokenizer


def save(tokenizer: Tokenizer, folder: Path) -> None:
    """Write the two tokenizer files by hand, in the form that every version of the libraries reads."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "added_tokens_decoder": {
            str(tokenizer.token_to_id(token)): {
                "content": token,
                "lstrip": False,
                "normalized": False,
                "rstrip": False,
                "single_word": False,
                "special": token.startswith("<|"),
            }
            for token in (END_OF_TEXT, IM_START, IM_END, "<think>", "</think>")
        },
        "add_bos_token": False,
        "bos_token": None,
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": IM_END,
        "model_max_length": CONTEXT,
        "pad_token": END_OF_TEXT,
        "padding_side": "left",
        "tokenizer_class": "PreTrainedTokenizerFast",
        "unk_token": None,
    }
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
