"""The model and the server that runs it: protocol, client, profiles, launch and supervision of vLLM."""
