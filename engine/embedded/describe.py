"""The checkpoint's small files, as plain data: configuration, generation defaults, tokenizer."""

from typing import Any

from engine.embedded.source import Shape, Vocabulary
from engine.embedded.upcycle import EXPERTS, expert_width


def config(shape: Shape, vocabulary: Vocabulary) -> dict[str, Any]:
    """Describe the Llama 4 text model in the words of `transformers`' `Llama4TextConfig`."""
    width = expert_width(shape)
    return {
        "architectures": ["Llama4ForCausalLM"],
        "model_type": "llama4_text",
        "dtype": "bfloat16",
        "vocab_size": shape.vocabulary,
        "hidden_size": shape.hidden,
        "intermediate_size": width,
        "intermediate_size_mlp": shape.neurons,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": shape.positions,
        "rms_norm_eps": shape.norm_epsilon,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta},
        "no_rope_layers": [1] * shape.layers,
        "attention_chunk_size": shape.positions,
        "attn_temperature_tuning": False,
        "use_qk_norm": False,
        "attention_bias": False,
        "tie_word_embeddings": True,
        "num_local_experts": EXPERTS,
        "num_experts_per_tok": 1,
        "interleave_moe_layer_step": 1,
        "bos_token_id": vocabulary.bos_id,
        "eos_token_id": vocabulary.eos_id,
        "pad_token_id": vocabulary.pad_id,
    }


def generation_config(vocabulary: Vocabulary) -> dict[str, Any]:
    """Name the tokens that begin, end and fill a generation; sampling is the caller's choice."""
    return {
        "bos_token_id": vocabulary.bos_id,
        "eos_token_id": vocabulary.eos_id,
        "pad_token_id": vocabulary.pad_id,
    }


def tokenizer(vocabulary: Vocabulary) -> dict[str, Any]:
    """Describe the byte-level BPE in the format of the `tokenizers` library: digits stand alone, then GPT-2's rule."""
    bytes_as_letters = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_control_token(vocabulary, i) for i in vocabulary.control_ids],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, bytes_as_letters],
        },
        "post_processor": None,
        "decoder": bytes_as_letters,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {token: i for i, token in enumerate(vocabulary.tokens)},
            "merges": [merge.split(" ") for merge in vocabulary.merges],
        },
    }


def tokenizer_config(shape: Shape, vocabulary: Vocabulary) -> dict[str, Any]:
    """Name the special tokens and carry the chat template."""
    tokens = vocabulary.tokens
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": shape.positions,
        "clean_up_tokenization_spaces": False,
        "bos_token": tokens[vocabulary.bos_id],
        "eos_token": tokens[vocabulary.eos_id],
        "pad_token": tokens[vocabulary.pad_id],
        "unk_token": tokens[vocabulary.unknown_id],
        "chat_template": vocabulary.chat_template,
    }


def _control_token(vocabulary: Vocabulary, token_id: int) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {"id": token_id, "content": vocabulary.tokens[token_id], **plain}
