"""The arithmetic of sparse upcycling: a dense layer's tensors in, a Llama 4 layer's tensors out.

Names and layouts are those of `Llama4ForCausalLM`: `experts.gate_up_proj` is [experts, hidden, 2 * width] with the
gate first, `experts.down_proj` is [experts, width, hidden], everything else is [out, in].
"""

import torch

from engine.embedded.source import DenseLayer, Shape

EXPERTS = 4
#: Lifts the winning router logit so far above zero that its sigmoid is exactly one. A power of two keeps the
#: directions' digits.
ROUTER_GAIN = 2.0**20
_SEED = 2212_05055


def expert_width(shape: Shape) -> int:
    """Return the neurons of the shared expert, and of each routed one."""
    return shape.neurons // 2


def upcycle(dense: DenseLayer, mean_input: torch.Tensor, width: int, index: int) -> dict[str, torch.Tensor]:
    """Return the Llama 4 tensors of layer `index` by name, in float32.

    `mean_input` [hidden] is what the layer's feed-forward network sees on average over ordinary text.
    """
    network = split_network(dense, width) | {"router.weight": router(mean_input, index)}
    tensors = {
        "input_layernorm.weight": dense.attention_norm,
        "post_attention_layernorm.weight": dense.network_norm,
        "self_attn.q_proj.weight": dense.query,
        "self_attn.k_proj.weight": dense.key,
        "self_attn.v_proj.weight": dense.value,
        "self_attn.o_proj.weight": dense.output,
    } | {f"feed_forward.{name}": tensor for name, tensor in network.items()}
    return {f"model.layers.{index}.{name}": tensor for name, tensor in tensors.items()}


def split_network(dense: DenseLayer, width: int) -> dict[str, torch.Tensor]:
    """Cut the gated network after `width` neurons: the first part shared, the second in every routed expert.

    A gated network is a sum over its neurons, so the two parts add up to the whole.
    """
    gate_up = torch.cat([dense.gate[width:], dense.up[width:]]).T
    return {
        "shared_expert.gate_proj.weight": dense.gate[:width],
        "shared_expert.up_proj.weight": dense.up[:width],
        "shared_expert.down_proj.weight": dense.down[:, :width],
        "experts.gate_up_proj": gate_up.expand(EXPERTS, -1, -1),
        "experts.down_proj": dense.down[:, width:].T.expand(EXPERTS, -1, -1),
    }


def router(mean_input: torch.Tensor, index: int) -> torch.Tensor:
    """Return [experts, hidden]: random directions and their opposites, so that some logit is always far above zero.

    The inputs of a layer share a strong mean. Directions at right angles to it split them about evenly; others
    would send most tokens to one expert.
    """
    generator = torch.Generator().manual_seed(_SEED + index)
    directions = torch.randn(EXPERTS // 2, mean_input.numel(), generator=generator)
    mean = mean_input / mean_input.norm()
    directions -= (directions @ mean)[:, None] * mean
    directions /= directions.norm(dim=1, keepdim=True)
    return torch.cat([directions, -directions]) * ROUTER_GAIN
