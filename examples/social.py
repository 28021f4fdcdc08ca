"""People who follow people, and what they post: a many-to-many relation to the model itself, and rows in their order.

Run ``python examples/social.py``; with ``--url redis://localhost`` it runs on a server, in a namespace of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from stdnet import ManyToManyError, odm

FOLLOWING = {
    "anna": ("ben", "carla"),
    "ben": ("anna", "dario"),
    "carla": ("dario", "emil"),
    "dario": ("anna",),
    "emil": (),
}
"""Whom each user follows."""

POSTS = (  # in the order in which they arrive, which is not the order in which they were written
    (50, "emil", "First light on the ridge."),
    (20, "ben", "Does anybody have a spare ticket?"),
    (40, "anna", "Rain again."),
    (10, "carla", "The bread is in the oven."),
    (30, "dario", "I have two!"),
    (60, "ben", "Thanks, dario, see you there."),
)
"""Minutes after the beginning, author and text."""

BEGINNING = datetime(2026, 3, 1, 8, 0)


class User(odm.StdModel):
    """Somebody who writes and follows; the relation is to the model itself, and has a name from each side."""

    name = odm.SymbolField(unique=True)
    following = odm.ManyToManyField("self", related_name="followers")

    followers: odm.Many2ManyRelatedManager
    posts: odm.One2ManyRelatedManager

    class Meta:
        app_label = "social"

    def __str__(self) -> str:
        return self.name


class Post(odm.StdModel):
    """A text of a user. Every query gives the latest first, unless it says otherwise."""

    user = odm.ForeignKey(User, related_name="posts")
    written = odm.DateTimeField()
    text = odm.CharField(required=True)

    class Meta:
        app_label = "social"
        ordering = "-written"

    def __str__(self) -> str:
        return f"{self.written:%H:%M} {self.user}: {self.text}"


def joined(rows: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, rows))) or "nobody"


def create(models: odm.Router, session: odm.Session) -> dict[str, User]:
    """Store the users and their posts in one transaction, then who follows whom in another; return the users."""
    users = {name: User(name=name) for name in FOLLOWING}
    with session.begin() as transaction:
        for user in users.values():
            transaction.add(user)
        for minutes, name, text in POSTS:
            transaction.add(Post(user=users[name], written=BEGINNING + timedelta(minutes=minutes), text=text))
    with session.begin():
        for name, names in FOLLOWING.items():
            for other in names:
                users[name].following.add(users[other])
    print(f"Stored {stored(models)} on {models[User].backend}")
    return users


def stored(models: odm.Router) -> str:
    links = models.user_user.count()  # the model between a user and a user was made by the many-to-many field
    return f"{models[User].count()} users, {models[Post].count()} posts and {links} links"


def follow(models: odm.Router, anna: User) -> None:
    """Print who is linked to whom, near and far."""
    users = models[User]
    both = anna.following.query().intersect(anna.followers.query())
    further = users.filter(followers__followers__name="anna").exclude(followers__name="anna").exclude(name="anna")
    print(f"anna follows {joined(anna.following.all())}, and is followed by {joined(anna.followers.all())}")
    print(f"    both ways: {joined(both)}")
    print(f"    those she follows also follow: {joined(further)}")
    print(
        f"Who follows somebody who writes of tickets? {joined(users.filter(following__posts__text__contains='ticket'))}"
    )
    print("Followers, loaded with the users in one round trip:")
    for user in users.query().load_related("followers", "name").sort_by("name"):
        print(f"    {user}: {joined(user.followers.all())}")


def read(models: odm.Router, heading: str) -> None:
    """Print what anna's page shows: the three latest posts of those she follows, with their authors."""
    print(f"{heading}:")
    for post in models[Post].filter(user__followers__name="anna").load_related("user", "name")[:3]:
        print(f"    {post}")


def change(models: odm.Router, session: odm.Session, users: dict[str, User]) -> None:
    """Follow twice, follow and unfollow, let a user go, and try to follow somebody who is not there."""
    anna, ben, emil = users["anna"], users["ben"], users["emil"]
    with session.begin():
        anna.following.add(emil)
        anna.following.add(emil)
        anna.following.remove(ben)
    read(models, f"anna now follows {joined(anna.following.all())}, and sees")
    session.delete(emil)
    print(f"Without emil there are {stored(models)}; anna follows {joined(anna.following.all())}")
    try:
        anna.following.add(User(name="fritz"))
    except ManyToManyError as error:
        print(f"refused: {error}")
    print(f"    still {stored(models)}")


def main(url: str = "memory://") -> None:
    with odm.Router(url) as models:
        models.register(Post, namespace="stdnet-social.")  # with its author, and the links between these
        models.flush()
        session = models.session()
        users = create(models, session)
        follow(models, users["anna"])
        read(models, "The latest that anna sees")
        change(models, session, users)
        models.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="People who follow people: many-to-many, and posts in their order.")
    parser.add_argument("--url", default="memory://", help="memory:// or redis://host:port/db")
    main(parser.parse_args().url)
