"""Asking a person before something is done that cannot be taken back."""

import asyncio


async def agrees(question: str) -> bool:
    """Ask in the terminal, and tell whether the answer is yes; nobody there is a no that says what to do."""
    return await asyncio.to_thread(_answered, question)


def _answered(question: str) -> bool:
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print("\nNobody is here to answer: give --yes.")
        return False
