"""Run by the engine environment's interpreter: reads named command lines, and says what vLLM makes of each.

Standard input is a JSON object of lists of arguments, standard output one of what was understood, or of the error.
Nothing is loaded and nothing is looked up: parsing, vLLM's checks before loading, and the configurations that need
neither a model nor a GPU.
"""

import contextlib
import io
import json
import sys
from typing import Any

from vllm.config.cache import CacheConfig
from vllm.config.scheduler import SchedulerConfig
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser


def understood(parser: FlexibleArgumentParser, argv: list[str]) -> dict[str, Any]:
    """Parse a command line and build what can be built here."""
    parsed = parser.parse_args(argv)
    validate_parsed_serve_args(parsed)
    engine = AsyncEngineArgs.from_cli_args(parsed)
    cache = CacheConfig(
        block_size=engine.block_size,
        gpu_memory_utilization=engine.gpu_memory_utilization,
        cache_dtype=engine.kv_cache_dtype,
        enable_prefix_caching=engine.enable_prefix_caching,
    )
    scheduler = SchedulerConfig(
        max_model_len=engine.max_model_len,
        max_num_seqs=engine.max_num_seqs,
        max_num_batched_tokens=engine.max_num_batched_tokens or 8192,
        policy=engine.scheduling_policy,
        is_encoder_decoder=False,
    )
    return {
        "model": engine.model,
        "served": engine.served_model_name,
        "max_model_len": engine.max_model_len,
        "tensor_parallel_size": engine.tensor_parallel_size,
        "dtype": engine.dtype,
        "kv_cache_dtype": cache.cache_dtype,
        "prefix_caching": cache.enable_prefix_caching,
        "policy": scheduler.policy,
        "text_only": engine.language_model_only,
        "generation": engine.override_generation_config,
        "uds": parsed.uds,
        "host": parsed.host,
        "logs_requests": engine.enable_log_requests,
        "usage_details": parsed.enable_prompt_tokens_details,
    }


def answer(parser: FlexibleArgumentParser, argv: list[str]) -> dict[str, Any]:
    """Say what was understood, or why nothing was."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            return understood(parser, argv)
    except SystemExit:
        return {"error": said.getvalue().splitlines()[-1]}
    except (TypeError, ValueError) as exc:
        return {"error": str(exc)}


def main() -> None:
    """Answer for every command line."""
    commands = json.load(sys.stdin)
    out, sys.stdout = sys.stdout, sys.stderr  # vLLM's own words must not get between
    parser = make_arg_parser(FlexibleArgumentParser(description="profiles"))
    out.write(json.dumps({name: answer(parser, argv) for name, argv in commands.items()}))
    out.flush()


if __name__ == "__main__":
    main()
