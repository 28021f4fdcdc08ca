"""The Redis backend: ``wire`` says requests as script calls, ``backend`` sends them. See ``docs/redis-layout.md``."""
