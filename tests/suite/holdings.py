"""The rows of the tests of relations: managers, their portfolios, and what is in these.

======  =========  ==========  ====  ===================================
  id    portfolio  instrument  size  of
======  =========  ==========  ====  ===================================
   1    alpha      bond         10   ann, EUR, price 100
   2    alpha      coal          5   ann, USD, price 50
   3    beta       coal          7   bob, USD, price 50
   4    beta       corn          1   bob, USD, price missing
   5    gamma      bond          2   nobody, EUR, price 100
======  =========  ==========  ====  ===================================

Portfolio delta, also ann's, is empty, and nobody holds instrument dax (EUR, price 10).
"""

from __future__ import annotations

from typing import Any

from ..conftest import do
from .golden import store
from .relation_models import Club, Instrument, Manager, Member, Portfolio, Position, Profile, Role, User


async def holdings(models: Any) -> Any:
    """Store the rows above and return a query over the positions."""
    ann, bob = Manager(name="ann"), Manager(name="bob")
    alpha, beta = Portfolio(name="alpha", manager=ann), Portfolio(name="beta", manager=bob)
    gamma, delta = Portfolio(name="gamma"), Portfolio(name="delta", manager=ann)
    bond = Instrument(name="bond", ccy="EUR", price=100)
    coal = Instrument(name="coal", ccy="USD", price=50)
    corn, dax = Instrument(name="corn", ccy="USD"), Instrument(name="dax", ccy="EUR", price=10)
    await store(models, alpha, beta, gamma, delta, bond, coal, corn, dax)
    session = await store(
        models,
        Position(portfolio=alpha, instrument=bond, size=10, note="Long"),
        Position(portfolio=alpha, instrument=coal, size=5),
        Position(portfolio=beta, instrument=coal, size=7, note="long"),
        Position(portfolio=beta, instrument=corn, size=1),
        Position(portfolio=gamma, instrument=bond, size=2),
    )
    return session.query(Position)


async def profiles(models: Any) -> Any:
    """Store profiles a (admin, editor), b (editor), c (none), and return a query over them; role guest is unused."""
    await store(models, *(Role(name=name) for name in ("admin", "editor", "guest")))
    session = await store(models, *(Profile(name=name) for name in "abc"))
    admin, editor, _ = await do(session.query(Role).all())
    a, b, _ = await do(session.query(Profile).all())
    for profile, role in ((a, admin), (a, editor), (b, editor)):
        await do(profile.roles.add(role))
    return session.query(Profile)


async def members(models: Any) -> Any:
    """Store members x (chess 1, go 3) and y (chess 2), where the numbers are levels, and return a query over them."""
    await store(models, Club(name="chess"), Club(name="go"), Club(name="golf"))
    session = await store(models, Member(name="x"), Member(name="y"), Member(name="z"))
    chess, go, _ = await do(session.query(Club).all())
    x, y, _ = await do(session.query(Member).all())
    await do(x.clubs.add(chess, level=1))
    await do(x.clubs.add(go, level=3, note="black"))
    await do(y.clubs.add(chess, level=2))
    return session.query(Member)


async def users(models: Any) -> dict[str, Any]:
    """Store users: ann follows bob and cat, bob follows ann, dan is alone. Return them by name."""
    session = await store(models, *(User(name=name) for name in ("ann", "bob", "cat", "dan")))
    found = {user.name: user for user in await do(session.query(User).all())}
    for follower, followed in (("ann", "bob"), ("ann", "cat"), ("bob", "ann")):
        await do(found[follower].following.add(found[followed]))
    return found


async def ids(query: Any) -> list[Any]:
    """Return the ids of the rows, in order."""
    return [row.pkvalue() for row in await do(query.all())]
