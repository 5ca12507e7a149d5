"""One verb, one file; each is a click command of the verb's name."""
