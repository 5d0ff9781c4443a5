"""What ties the DAGs together: `intake` -> arrived -> `receive` -> accepted -> `release` -> released.

The graph of these assets in Airflow's UI is the map of who shares what with whom.
"""

from typing import TYPE_CHECKING

from airflow.sdk import Asset, AssetWatcher, PartitionedAssetTimetable

from pipeline.orchestration.waking import LandingTrigger

if TYPE_CHECKING:
    from airflow.sdk.definitions.asset import BaseAsset


def landing() -> Asset:
    """Where partners write. Its watcher wakes `intake`."""
    return Asset(
        "landing",
        uri="x-safeconduct://landing",
        group="safeconduct",
        watchers=[AssetWatcher(name="landing", trigger=LandingTrigger())],
    )


def arrived(feed_id: str) -> Asset:
    """Claimed lots of a feed, one partition each."""
    return Asset(f"{feed_id}: arrived", uri=f"x-safeconduct://arrived/{feed_id}", group="safeconduct")


def accepted(feed_id: str) -> Asset:
    """Kept lots of a feed, one partition each."""
    return Asset(f"{feed_id}: accepted", uri=f"x-safeconduct://accepted/{feed_id}", group="safeconduct")


def released(agreement_id: str) -> Asset:
    """Published releases under an agreement."""
    return Asset(f"{agreement_id}: released", uri=f"x-safeconduct://released/{agreement_id}", group="safeconduct")


def one_run_per_partition(first: Asset, *others: Asset) -> PartitionedAssetTimetable:
    """A run for each partition of any of these assets."""
    condition: BaseAsset = first
    for asset in others:
        condition = condition | asset
    return PartitionedAssetTimetable(assets=condition)
