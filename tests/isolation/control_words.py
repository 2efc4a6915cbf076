"""Runs in the engine's environment: which control words a tokenizer finds in prompts laid out by its chat template.

Reads a JSON list of prompts (lists of role and content) from standard input, writes for each the control words in it.
"""

import json
import sys
from pathlib import Path

import jinja2
from tokenizers import Tokenizer

folder = Path(sys.argv[1])
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
config = json.loads((folder / "tokenizer_config.json").read_text())
# As transformers sets it up (`utils/chat_template_utils.py`).
environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701 - no page is made
template = environment.from_string(config["chat_template"])
control = {
    token["id"]: token["content"]
    for token in json.loads((folder / "tokenizer.json").read_text())["added_tokens"]
}
found = []
for prompt in json.load(sys.stdin):
    messages = [{"role": role, "content": content} for role, content in prompt]
    text = template.render(messages=messages, add_generation_prompt=True)
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    found.append([control[token] for token in ids if token in control])
json.dump(found, sys.stdout)
