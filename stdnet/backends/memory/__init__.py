"""The embedded backend: pure Python, in this process, and the readable reference for the others."""
