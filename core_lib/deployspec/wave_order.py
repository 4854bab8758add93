"""The order of waves against the order of the actions: nothing waits for what only comes in a later wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core_lib.deployspec.rings import Ring
from core_lib.framework.errors import GraphError
from core_lib.framework.models import PlanAction


def check_order(ordered: Sequence[PlanAction], wave_of: Mapping[str, int], rings: Sequence[Ring]) -> None:
    """Look along every dependency, also through actions that are in no wave. `ordered`: dependencies first.

    Raises:
        GraphError: an action waits for one in a later wave; names both, and the place of the earlier wave.
    """
    latest: dict[str, tuple[int, str]] = {}
    for action in ordered:
        own = (wave_of.get(action.id, -1), action.id)
        above = max((latest[dependency] for dependency in action.depends_on), default=own, key=lambda found: found[0])
        if own[0] >= 0 and above[0] > own[0]:
            raise _against(action.id, rings[own[0]], above[1], rings[above[0]])
        latest[action.id] = own if own[0] >= above[0] else above


def postponed(ordered: Sequence[PlanAction], wave_of: Mapping[str, int], rings: Sequence[Ring]) -> list[Ring]:
    """The rings with every target in the first wave, from its own on, in which nothing that it waits for is still to come.

    For graphs whose order nobody wrote: in a teardown, a hub that came first goes when those that need it are gone.
    """
    place = {target: index for index, ring in enumerate(rings) for target in ring.targets}
    moving = True
    while moving:
        moving = False
        latest: dict[str, int] = {}
        for action in ordered:
            above = max((latest[dependency] for dependency in action.depends_on), default=-1)
            own = place[action.target] if action.id in wave_of else -1
            if action.id in wave_of and above > own:
                place[action.target] = own = above
                moving = True
            latest[action.id] = max(own, above)
    return [
        Ring(ring.source, tuple(sorted(target for target, found in place.items() if found == index)))
        for index, ring in enumerate(rings)
    ]


def _against(action: str, ring: Ring, upstream: str, later: Ring) -> GraphError:
    name, other = ring.source.title, later.source.title
    return GraphError(
        f"{action!r} is in wave {name!r} and waits for {upstream!r}, which is in the later wave {other!r}",
        where=ring.source.where,
        hint=f"put {upstream.partition('@')[2]} into wave {name!r} or an earlier one, with Targets of its own",
    )
