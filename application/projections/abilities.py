"""What read models need of a store, and what a store offers: compared when the service is wired."""

from collections.abc import Collection
from enum import StrEnum
from typing import Any, Final, NoReturn

from application.projections.projection import Projection


class Ability(StrEnum):
    """What a store may be able to do with views, in words that follow *it cannot*."""

    FIND = "find views by their fields, or list them"
    SEARCH = "search views by words"
    SUM = "sum fields of all views"
    JOIN_APPEND = "write views in the transaction of the append"


class NotOffered(Exception):
    """A read model needs what its store cannot do: this ability, if it is one."""

    def __init__(self, message: str, ability: Ability | None = None) -> None:
        super().__init__(message)
        self.ability = ability


def refuse(ability: Ability, store: str) -> NoReturn:
    """Raises :class:`NotOffered` for a query that the store cannot answer."""
    raise NotOffered(f"{store} cannot {ability}", ability)


def needs(projection: Projection[Any]) -> Collection[Ability]:
    """What a store must be able to do so that it can keep these views. Each can look up by key."""
    declared = {
        Ability.FIND: projection.listed or projection.indexed,
        Ability.SEARCH: projection.searched,
        Ability.SUM: projection.summed,
        Ability.JOIN_APPEND: projection.consistency == "inline",
    }
    return [ability for ability, needed in declared.items() if needed]


def require_offered(
    projections: Collection[Projection[Any]], offered: Collection[Ability], store: str
) -> None:
    """Raises :class:`NotOffered` unless the store can do what each of these projections needs."""
    for projection in projections:
        for lacking in (need for need in needs(projection) if need not in offered):
            raise NotOffered(
                f"{projection.name} cannot be kept in {store}, which cannot {lacking}: keep it in "
                f"a store that can, or declare it without {_DECLARED_AS[lacking]}",
                lacking,
            )


_DECLARED_AS: Final = {
    Ability.FIND: "`indexed`, and with `listed=False`",
    Ability.SEARCH: "`searched` and `ranked`",
    Ability.SUM: "`summed`",
    Ability.JOIN_APPEND: '`consistency="inline"`',
}
