"""The peers: each a module here, with a file of the same name that pins what its environment in ``.venv/peers`` has.

A module has one function ``contestant(url)`` and imports no stdnet. Its class has the verbs of
``benchmarks.cases.Contestant`` that the peer can do, each in the way that the peer's own documentation recommends.
"""

IN_PROCESS = {
    "SQLAlchemy": "sqlalchemy",
    "peewee": "peewee",
    "Django": "django",
    "fakeredis": "fakeredis",
    "burner-redis": "burner_redis",
}
ON_REDIS = {"walrus": "walrus", "redis-om": "redis_om"}
SEARCHING = {"memory": {"peewee": "peewee"}, "redis": {"walrus": "walrus"}}
