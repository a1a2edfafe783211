"""Train the bundled tiny model from scratch and write its folder: `python -m training.tiny.train OUTPUT`.

Everything that shapes the weights is in `Recipe` and the modules beside this one: the same recipe, library
versions, thread count and kind of processor give the same weights.
"""

import argparse
import hashlib
import json
import logging
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn.functional import cross_entropy, linear
from transformers import LlamaConfig, LlamaForCausalLM

from . import tokenizer as tokens
from .data import IGNORED, Batch, Mixture, batches
from .muon import Muon

log = logging.getLogger("train")


@dataclass(frozen=True, slots=True)
class Recipe:
    """All numbers of a run."""

    seed: int = 1
    threads: int = 2
    hidden: int = 128
    intermediate: int = 384
    layers: int = 4
    heads: int = 4
    steps: int = 4200
    tokens_a_batch: int = 4096
    warm_up: int = 60
    cool_down: float = 0.5  # share of the run over which the rates fall to zero
    matrix_rate: float = 0.02
    other_rate: float = 3e-3
    momentum: float = 0.95
    weight_decay: float = 0.01
    mixture: Mixture = field(default_factory=Mixture)

    def rate(self, step: int) -> float:
        """The factor on both learning rates: up, level, then straight down."""
        up = min(1.0, (step + 1) / self.warm_up)
        down = min(1.0, (self.steps - step) / (self.cool_down * self.steps))
        return min(up, down)


def new_model(recipe: Recipe, tokenizer: Tokenizer) -> LlamaForCausalLM:
    """A Llama with random weights."""
    end = tokenizer.token_to_id(tokens.IM_END)
    config = LlamaConfig(
        vocab_size=tokens.VOCABULARY,
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=tokens.CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=tokenizer.token_to_id(tokens.END_OF_TEXT),
        use_cache=False,
    )
    return LlamaForCausalLM(config)


def loss_of(model: LlamaForCausalLM, batch: Batch) -> torch.Tensor:
    """Mean loss over the tokens to be learnt; the others never reach the vocabulary layer."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model.model(input_ids=batch.inputs).last_hidden_state
        learnt = batch.targets != IGNORED
        logits = linear(states[learnt], model.lm_head.weight)
    return cross_entropy(logits.float(), batch.targets[learnt])


def train(recipe: Recipe, tokenizer: Tokenizer) -> LlamaForCausalLM:
    """Run the recipe from the first step to the last."""
    torch.set_num_threads(recipe.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(recipe.seed)
    model = new_model(recipe, tokenizer)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
    muon = Muon(matrices, recipe.momentum, recipe.weight_decay)
    adam = torch.optim.AdamW(others, lr=recipe.other_rate, betas=(0.9, 0.98), weight_decay=0.0)
    begin, seen, recent = time.monotonic(), 0, 0.0
    stream = batches(tokenizer, recipe.seed, recipe.tokens_a_batch, recipe.steps, recipe.mixture)
    for step, batch in enumerate(stream):
        factor = recipe.rate(step)
        loss = loss_of(model, batch)
        loss.backward()
        muon.step(recipe.matrix_rate * factor)
        adam.param_groups[0]["lr"] = recipe.other_rate * factor
        adam.step()
        model.zero_grad()
        seen += batch.inputs.numel()
        recent += loss.item() / 100
        if (step + 1) % 100 == 0:
            speed = seen / (time.monotonic() - begin)
            log.info("step %d loss %.4f tokens %.2fM, %.0f a second", step + 1, recent, seen / 1e6, speed)
            recent = 0.0
    return model


def save(model: LlamaForCausalLM, tokenizer: Tokenizer, recipe: Recipe, folder: Path) -> None:
    """Write the model folder, weights in bfloat16, in the plain form every version of the libraries reads."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().to(torch.bfloat16).contiguous()
        for name, value in model.state_dict().items()
        if name != "lm_head.weight"
    }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokens.save(tokenizer, folder)
    shape = model.config
    config = {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": None,
        "eos_token_id": shape.eos_token_id,
        "head_dim": shape.hidden_size // shape.num_attention_heads,
        "hidden_act": shape.hidden_act,
        "hidden_size": shape.hidden_size,
        "initializer_range": shape.initializer_range,
        "intermediate_size": shape.intermediate_size,
        "max_position_embeddings": shape.max_position_embeddings,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": shape.num_attention_heads,
        "num_hidden_layers": shape.num_hidden_layers,
        "num_key_value_heads": shape.num_key_value_heads,
        "pad_token_id": shape.pad_token_id,
        "rms_norm_eps": shape.rms_norm_eps,
        "rope_theta": 10000.0,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": shape.vocab_size,
    }
    generation = {"do_sample": True, "eos_token_id": shape.eos_token_id, "pad_token_id": shape.pad_token_id}
    for name, content in (("config.json", config), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    for path in folder.iterdir():
        path.chmod(0o644)
    digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    log.info("wrote %s, weights sha256 %s, recipe %s", folder, digest, asdict(recipe))


def main() -> None:
    """Train and write."""
    parser = argparse.ArgumentParser(description="Train the tiny model.")
    parser.add_argument("output", type=Path)
    parser.add_argument("--steps", type=int, default=Recipe().steps, help="fewer for a trial run")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    recipe = Recipe(steps=arguments.steps)
    tokenizer = tokens.build()
    model = train(recipe, tokenizer)
    save(model, tokenizer, recipe, arguments.output)


if __name__ == "__main__":
    main()
