"""LLaMA-Factory: its variety of ShareGPT, and the entry of `dataset_info.json` without which it reads nothing.

Source: `data/README.md` of LLaMA-Factory. Its templates of reasoning models expect the thinking inside the content.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from skythought.exporting.example import Example, Pair
from skythought.exporting.exporter import Exporter, Row, Written

__all__ = ["LlamaFactory"]

NAMES = {"user": "human", "assistant": "gpt"}
COLUMNS: dict[str, dict[str, str]] = {
    "sft": {},
    "dpo": {"chosen": "chosen", "rejected": "rejected"},
    "kto": {"kto_tag": "kto_tag"},
}


class LlamaFactory(Exporter):
    """`conversations` and `system`; for preferences `chosen` and `rejected`, one turn each; for KTO `kto_tag`."""

    thinkings = ("inline", "drop")

    def sft(self, example: Example) -> Row:
        """The conversation, in which the model's turn is the last."""
        return {
            "conversations": [*self._turns(example), _turn(self.reply(example))],
            "system": next((turn["content"] for turn in example.messages if turn["role"] == "system"), ""),
        }

    def dpo(self, pair: Pair) -> Row:
        """The conversation without the model's turn, and two of these."""
        whole = self.sft(pair.chosen)
        *turns, chosen = whole["conversations"]
        return {**whole, "conversations": turns, "chosen": chosen, "rejected": _turn(self.reply(pair.rejected))}

    def kto(self, example: Example) -> Row:
        """The conversation and its label."""
        return {**self.sft(example), "kto_tag": bool(example.right)}

    def beside(self, written: Written) -> Mapping[str, str]:
        """`dataset_info.json`, so that the export's folder is a `dataset_dir`."""
        text = json.dumps(self._info(written, {"file_name": "data"}), indent=2, ensure_ascii=False)
        return {"dataset_info.json": text + "\n"}

    def usage(self, written: Written) -> str:
        """Where the entry is, and how it is named."""
        entry = json.dumps(self._info(written, {"hf_hub_url": written.hub}), indent=2, ensure_ascii=False)
        return (
            f"## LLaMA-Factory\n\nFrom this folder: `dataset_dir` is the folder, `dataset: {written.name}`. From the "
            f"hub, this is the entry for a `dataset_info.json`:\n\n```json\n{entry}\n```"
        )

    def _turns(self, example: Example) -> list[Row]:
        return [_turn(turn) for turn in self.prompt(example) if turn["role"] != "system"]

    def _info(self, written: Written, place: Mapping[str, str]) -> Row:
        columns = {"messages": "conversations", "system": "system", **COLUMNS[written.kind]}
        ranking = {"ranking": True} if written.kind == "dpo" else {}
        return {written.name: {**place, "formatting": "sharegpt", **ranking, "columns": columns}}


def _turn(turn: Row) -> Row:
    return {"from": NAMES[turn["role"]], "value": turn["content"]}
