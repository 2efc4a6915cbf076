"""Writes the weights, a few layers a file, so that no more than one file's worth is ever in memory."""

import json
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from engine.embedded.dense import SAMPLE_TEXT, Runner
from engine.embedded.progress import Progress
from engine.embedded.source import DenseModel, Shape
from engine.embedded.upcycle import expert_width, upcycle

LAYERS_PER_FILE = 6
INDEX_NAME = "model.safetensors.index.json"


def write_weights(dense: DenseModel, shape: Shape, tokenizer: Path, folder: Path, progress: Progress) -> None:
    """Write every tensor in bfloat16, and the index that says which file holds it."""
    where: dict[str, str] = {}
    total_bytes = 0
    files = 1 + -(-shape.layers // LAYERS_PER_FILE)
    parts = _parts(dense, shape, tokenizer)
    for number in range(1, files + 1):
        progress.stage(f"weights, file {number} of {files}")
        name = f"model-{number:05}-of-{files:05}.safetensors"
        stored = {key: tensor.to(torch.bfloat16).contiguous() for key, tensor in next(parts).items()}
        save_file(stored, folder / name, metadata={"format": "pt"})
        where |= dict.fromkeys(stored, name)
        total_bytes += sum(tensor.nbytes for tensor in stored.values())
    index = {"metadata": {"total_size": total_bytes}, "weight_map": where}
    (folder / INDEX_NAME).write_text(json.dumps(index, indent=1))


def _parts(dense: DenseModel, shape: Shape, tokenizer: Path) -> Iterator[dict[str, torch.Tensor]]:
    """Yield what each file holds: the ends first, then the layers in order."""
    embedding = dense.tensor("token_embd.weight")
    yield {"model.embed_tokens.weight": embedding, "model.norm.weight": dense.tensor("output_norm.weight")}
    sample_ids = Tokenizer.from_file(str(tokenizer)).encode(SAMPLE_TEXT).ids
    runner = Runner(shape, embedding[torch.tensor(sample_ids)])
    for start in range(0, shape.layers, LAYERS_PER_FILE):
        part: dict[str, torch.Tensor] = {}
        for index in range(start, min(start + LAYERS_PER_FILE, shape.layers)):
            layer = dense.layer(index)
            part |= upcycle(layer, runner.run(layer).mean(0), expert_width(shape), index)
        yield part
