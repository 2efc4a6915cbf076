"""The bundled model: a small dense Llama chat model turned into a Llama 4 mixture of experts.

The feed-forward network of every layer is cut in two by neurons. One half becomes the shared expert, each routed
expert is a copy of the other half, and the router decides with such confidence that the sigmoid by which Llama 4
scales an expert's input is exactly one. Shared plus routed is then the dense network again, whichever expert is
chosen: the function is preserved while vLLM runs its true Llama 4 mixture-of-experts path. This is sparse
upcycling (Komatsuzaki et al., "Sparse Upcycling: Training Mixture-of-Experts from Dense Checkpoints", 2022,
arXiv:2212.05055) without the training that would follow it.

It shows the machinery, not the quality: 135 million parameters know little.

`python -m engine.embedded --out DIR` runs in the engine's environment (gguf, torch, safetensors). `manifest` needs
only the standard library, so that anyone can ask cheaply whether the checkpoint is there.
"""
