"""Runs in the engine's environment: compares the Llama 4 checkpoint with the dense model, and prints a verdict as JSON.

`python upcycling_reference.py MODEL_DIR`. Both models run in float32 through the independent implementations of the
`transformers` library. `exact`: the upcycled tensors before they are rounded for storage, against the dense model.
`stored`: the checkpoint on the disk, against the dense model rounded alike. The layers' figures are the greatest
difference in a layer's output over the output's own greatest value. `margins`: by how much the first choice's logit
exceeds the second's.
"""

import json
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import Llama4ForCausalLM, Llama4TextConfig, LlamaConfig, LlamaForCausalLM

from engine.embedded.dense import Runner
from engine.embedded.source import DenseLayer, DenseModel, Shape, locate
from engine.embedded.upcycle import expert_width, upcycle

TEXT = """In the spring of 1884 the town council of Ashford voted, eleven to four, to build a bridge over the river.
Until then a ferry had carried people, carts and cattle across, and in winter, when ice came down from the hills, it
often stood still for a week. The engineer, a quiet woman called Margaret Hale, drew three plans: one of stone, one of
iron, and one of both. "Stone lasts," she told them, "but iron is paid for sooner."

What should you check before a long drive?
- the pressure of all four tyres, and of the spare one
- oil, coolant and brake fluid
- lights, wipers, and whether you have had enough sleep

def mean(values):
    if not values:
        raise ValueError("no values")
    return sum(values) / len(values)

Plants take carbon dioxide from the air and water from the soil. With the energy of sunlight they make sugar, and give
off oxygen. At night they breathe as animals do. Thank you for your message! I am out of the office until Monday, 7
June, and will answer as soon as I am back. For urgent questions please write to my colleague, Mr. Tanaka.
"""


def half_split(rows: torch.Tensor, heads: int) -> torch.Tensor:
    """Put the rows of a projection from interleaved into the dense Llama's rotary order."""
    return rows.unflatten(0, (heads, -1, 2)).transpose(1, 2).reshape(rows.shape)


def dense_model(dense: DenseModel, shape: Shape, layers: list[DenseLayer]) -> LlamaForCausalLM:
    state = {
        "model.embed_tokens.weight": dense.tensor("token_embd.weight"),
        "lm_head.weight": dense.tensor("token_embd.weight"),
        "model.norm.weight": dense.tensor("output_norm.weight"),
    }
    for index, layer in enumerate(layers):
        name = f"model.layers.{index}"
        state |= {
            f"{name}.input_layernorm.weight": layer.attention_norm,
            f"{name}.post_attention_layernorm.weight": layer.network_norm,
            f"{name}.self_attn.q_proj.weight": half_split(layer.query, shape.heads),
            f"{name}.self_attn.k_proj.weight": half_split(layer.key, shape.kv_heads),
            f"{name}.self_attn.v_proj.weight": layer.value,
            f"{name}.self_attn.o_proj.weight": layer.output,
            f"{name}.mlp.gate_proj.weight": layer.gate,
            f"{name}.mlp.up_proj.weight": layer.up,
            f"{name}.mlp.down_proj.weight": layer.down,
        }
    config = LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        intermediate_size=shape.neurons,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        head_dim=shape.head_dim,
        max_position_embeddings=shape.positions,
        rms_norm_eps=shape.norm_epsilon,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config).eval()
    model.load_state_dict(state)
    return model


def upcycled_model(
    dense: DenseModel, shape: Shape, layers: list[DenseLayer], config: Llama4TextConfig, ids: torch.Tensor
) -> Llama4ForCausalLM:
    """Upcycle in memory, without rounding anything for storage."""
    embedding = dense.tensor("token_embd.weight")
    state = {
        "model.embed_tokens.weight": embedding,
        "lm_head.weight": embedding,
        "model.norm.weight": dense.tensor("output_norm.weight"),
    }
    runner = Runner(shape, embedding[ids[0]])
    for index, layer in enumerate(layers):
        state |= upcycle(layer, runner.run(layer).mean(0), expert_width(shape), index)
    model = Llama4ForCausalLM(config).float().eval()
    model.load_state_dict(state)
    return model


def run(model: torch.nn.Module, ids: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Return every layer's output, and the logits."""
    outputs: list[torch.Tensor] = []

    def keep(_module: object, _arguments: object, output: object) -> None:
        outputs.append((output[0] if isinstance(output, tuple) else output)[-ids.shape[1] :].detach().clone())

    hooks = [layer.register_forward_hook(keep) for layer in model.model.layers]
    logits = model(ids, use_cache=False).logits[0]
    for hook in hooks:
        hook.remove()
    return outputs, logits


def compare(
    mine: tuple[list[torch.Tensor], torch.Tensor], other: tuple[list[torch.Tensor], torch.Tensor]
) -> dict:
    layers = [float((a - b).abs().max() / b.abs().max()) for a, b in zip(mine[0], other[0], strict=True)]
    logits = float((mine[1] - other[1]).abs().max() / other[1].abs().max())
    top1 = float((mine[1].argmax(-1) == other[1].argmax(-1)).float().mean())
    return {"layers": layers, "logits": logits, "top1": top1}


def shares(model: Llama4ForCausalLM, ids: torch.Tensor) -> tuple[list[list[float]], float]:
    """Return each layer's share of tokens per expert, and the smallest score by which an input was scaled."""
    found: list[list[float]] = []
    lowest = 1.0

    def keep(_module: object, _arguments: object, output: tuple[torch.Tensor, torch.Tensor]) -> None:
        nonlocal lowest
        scores, logits = output
        counts = torch.bincount(logits.argmax(-1), minlength=logits.shape[-1])
        found.append((counts / counts.sum()).tolist())
        lowest = min(lowest, float(scores.max(-1).values.min()))

    hooks = [layer.feed_forward.router.register_forward_hook(keep) for layer in model.model.layers]
    model(ids, use_cache=False)
    for hook in hooks:
        hook.remove()
    return found, lowest


def round_parameters(model: LlamaForCausalLM) -> LlamaForCausalLM:
    """Round the weights as the checkpoint does, and nothing else: the rotary frequencies are no weights."""
    for parameter in model.parameters():
        parameter.copy_(parameter.to(torch.bfloat16).float())
    return model


@torch.inference_mode()
def main(model_dir: Path) -> None:
    dense = DenseModel(locate())
    shape = dense.shape()
    tokenizer = Tokenizer.from_file(str(model_dir / "tokenizer.json"))
    ids = torch.tensor([tokenizer.encode(TEXT).ids])
    layers = [dense.layer(index) for index in range(shape.layers)]
    reference = dense_model(dense, shape, layers)
    expected = run(reference, ids)
    config = Llama4TextConfig.from_pretrained(model_dir)
    exact = compare(run(upcycled_model(dense, shape, layers, config, ids), ids), expected)
    checkpoint = Llama4ForCausalLM.from_pretrained(model_dir, dtype=torch.float32).eval()
    actual = run(checkpoint, ids)
    stored = compare(actual, run(round_parameters(reference), ids))
    spread, lowest_score = shares(checkpoint, ids)
    verdict = {
        "exact": exact,
        "stored": stored,
        "stored_against_float32": compare(actual, expected),
        "shares": spread,
        "lowest_score": lowest_score,
        "text": TEXT,
        "decoded": tokenizer.decode(ids[0].tolist()),
        "token_ids": ids[0].tolist(),
        "top1": expected[1].argmax(-1).tolist(),
        "margins": (expected[1].topk(2).values @ torch.tensor([1.0, -1.0])).tolist(),
    }
    json.dump(verdict, sys.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
