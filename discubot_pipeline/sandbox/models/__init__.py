"""The stand-in of language models: Anthropic's, OpenAI's, and a local server that speaks like OpenAI's."""
