"""The dense model run in plain float32, layer by layer, to learn what its feed-forward networks usually see."""

import torch
from torch.nn.functional import linear, rms_norm, scaled_dot_product_attention, silu

from engine.embedded.source import DenseLayer, Shape

#: Ordinary prose, dialogue, lists and code: enough variety for a mean over a few hundred tokens.
SAMPLE_TEXT = """The harbour town wakes early. Fishermen carry crates over wet stones while bakers open their shutters.
A child asks why the sea is salty, and her grandfather begins a story about rivers, rocks and time.
Can we move the meeting to Thursday at 3 pm? Yes, that works for me; please tell Maria and the others.
1. Boil two litres of water. 2. Add salt, then 400 g of pasta. 3. Stir, wait nine minutes, and drain.
In 1969 people first walked on the Moon; about 600 million watched it on television.
Bonjour, comment allez-vous ? Ich habe morgen leider keine Zeit. Muchas gracias por tu ayuda.
def area(width: float, height: float) -> float:
    return width * height  # square metres
Dear Ms. Okafor, thank you for your letter of 12 March. We regret the delay and enclose a full refund of $48.50.
The heart pumps blood through two loops: one to the lungs for oxygen, and one to the rest of the body.
Why did the chicken cross the road? Nobody knows, but it was determined, and the traffic was light that day!
"""


class Runner:
    """Carries the hidden states of one text through the layers, one call a layer, in order."""

    def __init__(self, shape: Shape, embedded: torch.Tensor) -> None:
        """Start from the embedded tokens [tokens, hidden]."""
        self._shape = shape
        self._hidden = embedded
        self._turns = _rotations(embedded.shape[0], shape)

    def run(self, layer: DenseLayer) -> torch.Tensor:
        """Pass through one layer and return what its feed-forward network saw, [tokens, hidden]."""
        epsilon, width = self._shape.norm_epsilon, (self._shape.hidden,)
        attended = self._attend(layer, rms_norm(self._hidden, width, layer.attention_norm, epsilon))
        self._hidden = self._hidden + attended
        seen = rms_norm(self._hidden, width, layer.network_norm, epsilon)
        self._hidden = self._hidden + linear(
            silu(linear(seen, layer.gate)) * linear(seen, layer.up), layer.down
        )
        return seen

    def _attend(self, layer: DenseLayer, seen: torch.Tensor) -> torch.Tensor:
        query = self._rotate(self._split(linear(seen, layer.query)))
        key = self._rotate(self._split(linear(seen, layer.key)))
        value = self._split(linear(seen, layer.value))
        mixed = scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
        return linear(mixed.transpose(0, 1).flatten(1), layer.output)

    def _split(self, states: torch.Tensor) -> torch.Tensor:
        return states.unflatten(1, (-1, self._shape.head_dim)).transpose(0, 1)

    def _rotate(self, heads: torch.Tensor) -> torch.Tensor:
        pairs = torch.view_as_complex(heads.unflatten(-1, (-1, 2)).contiguous())
        return torch.view_as_real(pairs * self._turns).flatten(-2)


def _rotations(tokens: int, shape: Shape) -> torch.Tensor:
    """Return unit complex numbers [tokens, head_dim / 2] (Su et al., "RoFormer", 2021, arXiv:2104.09864)."""
    frequencies = shape.rope_theta ** (-torch.arange(0, shape.head_dim, 2) / shape.head_dim)
    angles = torch.outer(torch.arange(tokens, dtype=torch.float32), frequencies)
    return torch.polar(torch.ones_like(angles), angles)
