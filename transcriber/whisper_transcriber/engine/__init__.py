"""Windows of speech to text: a small protocol, and openai-whisper behind it."""
