"""axolotl: its `chat_template` types, and the YAML to paste into its configuration.

Sources: `docs/dataset-formats/conversation.qmd` and `docs/rlhf.qmd` of axolotl.
"""

from __future__ import annotations

from typing import Any

import yaml

from skythought.exporting.example import Example, Pair
from skythought.exporting.exporter import Exporter, Row, Written

__all__ = ["Axolotl"]

TYPES: dict[str, dict[str, Any]] = {
    "sft": {"type": "chat_template", "field_messages": "messages"},
    "dpo": {
        "type": "chat_template.default",
        "field_messages": "messages",
        "field_chosen": "chosen",
        "field_rejected": "rejected",
    },
    "kto": {
        "type": {
            "field_prompt": "prompt",
            "field_system": "system",
            "field_completion": "completion",
            "field_label": "label",
            "prompt_format": "{prompt}",
            "completion_format": "{completion}",
        }
    },
}


class Axolotl(Exporter):
    """`messages`; for preferences also `chosen` and `rejected`, a message each; for KTO plain texts, which it wants."""

    def sft(self, example: Example) -> Row:
        """`messages`."""
        return {"messages": self.conversation(example)}

    def dpo(self, pair: Pair) -> Row:
        """`messages` up to the model's turn, and two of these."""
        return {
            "messages": self.prompt(pair.chosen),
            "chosen": self.reply(pair.chosen),
            "rejected": self.reply(pair.rejected),
        }

    def kto(self, example: Example) -> Row:
        """`system`, `prompt`, `completion`, `label`; solved examples stand before the prompt's text."""
        turns = self.prompt(example)
        return {
            "system": next((turn["content"] for turn in turns if turn["role"] == "system"), ""),
            "prompt": "\n\n".join(turn["content"] for turn in turns if turn["role"] != "system"),
            "completion": self.text(example),
            "label": bool(example.right),
        }

    def usage(self, written: Written) -> str:
        """The part of a configuration that reads this."""
        kind = written.files[0].rpartition(".")[2]
        files = {"ds_type": "json" if kind == "jsonl" else kind, "data_files": list(written.files), "split": "train"}
        config: Row = {"rl": written.kind} if written.kind != "sft" else {}
        if written.kind == "kto":
            config["remove_unused_columns"] = False
        config["datasets"] = [{"path": ".", **files, **TYPES[written.kind]}]
        text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
        return (
            "## axolotl\n\nWith the files' paths as they are seen from where axolotl runs; from the hub, `path: "
            f"{written.hub}` without `ds_type` and `data_files`:\n\n```yaml\n{text}```"
        )
