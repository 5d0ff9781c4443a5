"""The story of one delivery, from landing to release. Each numbered step is a line here and lives in one place elsewhere.

`sweep` claims what has landed. `receive` takes a lot into the vault. `release` publishes it under one agreement. `withdraw`
says that a release must no longer be used. Each can be run again at any time, beside itself, and after a crash anywhere in
it: what is done is found, not done again.
"""

import secrets
from datetime import datetime

from pipeline.core.authority import Authorised
from pipeline.core.delivery import Delivery, Lot
from pipeline.core.duration import after
from pipeline.core.errors import Code, Conflict, Misconfigured, Refused
from pipeline.core.findings import Tally
from pipeline.core.language.agreement import Agreement
from pipeline.core.language.feed import RETURNS, Feed
from pipeline.core.statement import Source, statement
from pipeline.core.validation import CompiledSchema
from pipeline.core.withdrawal import Withdrawal
from pipeline.edges import record
from pipeline.edges.arrival import open_arrived
from pipeline.edges.backing import backing, kit_of
from pipeline.edges.budget import used_before
from pipeline.edges.catalogue import Catalogue
from pipeline.edges.clock import clock_holds
from pipeline.edges.following import Earlier
from pipeline.edges.making import Made, make
from pipeline.edges.outcomes import Received, Refusal, Released, Swept, Withdrawn
from pipeline.edges.pace import ahead
from pipeline.edges.permission import means, permission, permitted
from pipeline.edges.publication import Published, release_name
from pipeline.edges.refusing import gone, hold, let_go, taken_by_another_run
from pipeline.edges.returns import Returned, sweep_returns
from pipeline.edges.revision import Revision, next_name, recorded_revision, refused_as_withdrawn
from pipeline.edges.schemas import lists_hold, schema_of
from pipeline.edges.site import Site
from pipeline.edges.sorting import Sorting
from pipeline.edges.spool import Spool
from pipeline.edges.sweeping import sweep_feed, sweep_stray
from pipeline.edges.tables import ToldTables
from pipeline.edges.vault import Accepted, Kept
from pipeline.formats.batch import tallied
from pipeline.formats.parts import part_bytes
from pipeline.formats.readers import limits_of, reader_of
from pipeline.formats.replies import Counts, reply_to

__all__ = ["Received", "Refusal", "Released", "Swept", "Withdrawn", "due", "receive", "release", "sweep", "withdraw"]


def sweep(site: Site) -> Swept:
    """Steps 1 and 2: whatever has landed whole is claimed, and every lot that waits is handed out when its turn comes.

    What recipients give back, acknowledgements and cosigned checkpoints, is taken at once: there are no rows in it.
    """
    clock_holds(site)
    catalogue = site.catalogue()
    lots: list[Lot] = []
    refused: list[Refusal] = []
    odd: list[str] = []
    returned: list[Returned] = []
    landed = site.landing.waiting(catalogue.signed_feeds)
    for folder in sorted(landed, key=lambda feed: len(catalogue.feeds_before(feed))):  # first what others go back to
        waiting = landed[folder]
        if folder in catalogue.feeds:
            lots += sweep_feed(site, catalogue.feeds[folder], waiting, odd)
        elif folder == RETURNS:
            for one in sweep_returns(site, catalogue, waiting, odd):
                if isinstance(one, Returned):
                    returned.append(one)
                else:
                    refused.append(_refuse(site, None, one.delivery, one.refusal, by=one.partner))
        elif not catalogue.is_broken("feeds", folder):  # where our own file is at fault, the partner's waits
            for file, refusal in sweep_stray(site, waiting, odd):
                delivery = Delivery(file.delivery, folder, file.key, file.size_bytes, site.now())
                refused.append(_refuse(site, None, delivery, refusal))
    return Swept(tuple(lots), tuple(refused), tuple(odd), tuple(returned))


def receive(site: Site, lot_id: str) -> Received:
    """Steps 3 to 7: the lot's good rows are in the vault, the others in quarantine, and the partner knows."""
    clock_holds(site)
    lot = site.landing.lot(lot_id)
    catalogue = site.catalogue()
    feed = catalogue.feed(lot.feed)
    schema = schema_of(feed, catalogue.code_lists)
    lists_hold(f"the schema of feed {feed.id}", schema.code_lists, catalogue.code_lists, site.now())
    accepted: list[Accepted] = []
    refused: list[Refusal] = []
    for delivery in lot.deliveries:
        if site.vault.holds(lot.id, delivery.id):
            continue
        try:
            used = sum(one.received for one in accepted)
            accepted.append(_accept(site, catalogue, feed, schema, delivery, used=used))
        except Refused as refusal:
            refused.append(_refuse(site, feed, delivery, refusal))
        except Conflict as missing:
            if not taken_by_another_run(site, lot, delivery, missing):
                refused.append(_refuse(site, feed, delivery, gone(delivery)))
    arrived = {delivery.id: delivery for delivery in lot.deliveries}
    kept = site.vault.keep(lot, accepted, schema=schema.id, schema_version=schema.version, at=site.now())
    for together in kept:
        for one in together.deliveries:
            counts = Counts(one.received, one.accepted, one.rejected, one.findings)
            reply = reply_to(feed, one.delivery, together.loaded_at, accepted=counts)
            record.accepted(site, feed, together, one, reply)
            site.quarantine.discard_raw(arrived[one.delivery])
            site.landing.discard(one.landed_as, one.delivery, signed=feed.signed)
    return Received(
        lot=lot.id,
        kept=tuple(together.key for together in kept),
        accepted_rows=sum(together.rows for together in kept),
        rejected_rows=sum(one.rejected for together in kept for one in together.deliveries),
        refused=tuple(refused),
    )


def release(site: Site, agreement_id: str, kept_key: str) -> Released:
    """Steps 8 to 15: what the agreement allows of the kept rows is published to its recipient, once.

    Where that was withdrawn to be made anew, its next revision is; where it was withdrawn otherwise, it is never made again.
    """
    clock_holds(site)
    catalogue = site.catalogue()
    agreement = catalogue.agreement(agreement_id)
    kept = site.vault.kept(kept_key)
    last = recorded_revision(site, agreement.recipient, release_name(agreement, kept))  # 8. already done?
    published = last.published
    if published is None:
        try:
            published = _publish(site, catalogue, agreement, kept, last)
        except Refused as refusal:
            record.withheld(site, agreement, catalogue.digest(agreement), kept, refusal)
            raise
    record.released(site, published)  # 14. record, and prove it
    _not_withdrawn(site, published)
    site.publication.announce(published)  # 15. announce
    said = published.predicate
    already = last.published is not None
    return Released(published.release, agreement.recipient, said["rows"]["released"], len(said["parts"]), already)


def withdraw(site: Site, release: str, *, by: str, why: str, reissue: bool = False) -> Withdrawn:
    """The release must no longer be used, whatever has become of its agreement; its recipient and the ledger know, once.

    Its parts stay where they are until their retention ends. With `reissue` the next `release` makes its next revision.
    """
    clock_holds(site)
    published = record.published_as(site, release)
    record.released(site, published)  # what a run that died left undone is done first: the story is told in its order
    withdrawn = site.publication.withdrawn(published)
    already = withdrawn is not None
    if withdrawn is None:
        record.never_withdrawn(site, published)
        at, signers = site.now(), site.publication.signers
        said = Withdrawal(published.release, published.recipient, by, why, at, reissue, signers)
        withdrawn = site.publication.withdraw(published, said)
    record.withdrawn(site, published, withdrawn)
    site.publication.announce_withdrawal(published, withdrawn)
    site.publication.announce(published)  # last: nobody stops a withdrawal by putting something in a notice's place
    said = withdrawn.withdrawal
    following = next_name(published) if said.reissue else None
    return Withdrawn(release, published.recipient, said.by, said.why, said.at, following, already)


def due(site: Site, feed_id: str, at: datetime) -> None:
    """Nothing happens when a delivery of the feed was accepted for the deadline `at`; else Misconfigured, so that it shows.

    One that came too late counts until the next is due: once it is there, the operator can turn the run green.
    """
    feed = site.catalogue().feed(feed_id)
    if feed.expected is None:
        return
    for lot in site.landing.lots(feed.id):
        for kept in site.vault.of_lot(lot.id):
            if at <= after(kept.loaded_at, feed.expected.every) and kept.loaded_at < after(at, feed.expected.every):
                return
    record.late(site, feed, at)
    raise Misconfigured(
        Code.NOTHING_ARRIVED,
        f"no delivery of {feed.id} was accepted in the {feed.expected.every} before {at.isoformat(timespec='minutes')}.",
        next_step=f"ask {feed.partner} for it, or look in quarantine; once it is accepted, clear this run.",
    )


def _accept(
    site: Site, catalogue: Catalogue, feed: Feed, schema: CompiledSchema, delivery: Delivery, *, used: int
) -> Accepted:
    """One delivery's good rows are sealed in the vault, not yet kept; its rejected rows are in quarantine.

    `used`: what other deliveries of this lot have just taken of the feed's budget.
    """
    opened = open_arrived(site, feed, delivery)  # 3. open
    reader, limits = reader_of(feed), limits_of(feed)
    tally = Tally()
    frames = tallied(ahead(reader.read(opened, schema.columns, limits)), tally)  # 4. parse
    sorting = Sorting(
        site.vault,
        site.quarantine,
        delivery,
        schema,
        seed=secrets.randbits(64),
        marking_column=feed.marking_column,
        used=used + used_before(site, feed, but=delivery.id),
        earlier=Earlier(site, catalogue, feed, secrets.randbits(64)) if feed.follows else None,
    )
    accepted = sorting.sort(frames, tally, feed.acceptance)  # 5. validate, 6. hold, 7. keep
    if accepted.rejected:
        site.quarantine.report(
            delivery,
            refusal=None,
            rows=accepted.received,
            rejected=accepted.rejected,
            findings=accepted.findings,
            row_objects=tuple(sorting.held),
        )
    return accepted


def _refuse(site: Site, feed: Feed | None, delivery: Delivery, refusal: Refused, *, by: str | None = None) -> Refusal:
    """The delivery is in quarantine as a whole, and gone from landing; ledger and partner (`by`, if it has no feed) know why."""
    refusal = hold(site, delivery, refusal)
    reply = reply_to(feed, delivery.id, delivery.claimed_at, refusal=refusal) if feed else None
    record.refused(site, feed.partner if feed else by, delivery, refusal, reply)
    return let_go(site, feed, delivery, refusal)


def _publish(site: Site, catalogue: Catalogue, agreement: Agreement, kept: Kept, revision: Revision) -> Published:
    authorised = permission(site, catalogue, agreement, kept)  # 9. authorise
    recipient, name = agreement.recipient, revision.release
    commitment_key = site.keyring.commitment_key(agreement.id, agreement.pseudonym_epoch, name)
    spool = Spool(authorised.recipient.keys, agreement.format, commitment_key)
    try:
        made = _redact_and_seal(site, catalogue, authorised, kept, name, spool)  # 10. redact, 11. clear, 12. seal
        kit = kit_of(authorised, name, spool)
        said = statement(
            authorised,
            instrument=catalogue.instrument(agreement.instrument),
            release=name,
            kept=kept.key,
            schema={"id": kept.schema, "version": kept.schema_version},
            sources=[Source(one.delivery, one.received, one.accepted, one.rejected) for one in kept.deliveries],
            parts=spool.parts,
            rows=made.rows,
            marking=made.marking,
            risk=made.risk,
            backing=backing(site, catalogue, authorised, kit),
            compared_tables=made.compared_tables,
            revision=revision.number,
            supersedes=revision.supersedes,
        )
        _still_authorised(site, authorised, kept)
        record.intended(site, authorised, name, spool.parts)
        site.publication.put_parts(recipient, name, spool)  # 13. publish: parts first, then the manifest
        _still_authorised(site, authorised, kept)
        site.publication.put_kit(recipient, name, kit)
        return site.publication.publish(recipient, name, said)
    finally:
        spool.close()


def _not_withdrawn(site: Site, published: Published) -> None:
    """Nobody has withdrawn the release, not even while it was made; else Refused: nothing is announced any more."""
    withdrawn = site.publication.withdrawn(published)
    if withdrawn is not None:
        raise refused_as_withdrawn(published.release, withdrawn)


def _still_authorised(site: Site, authorised: Authorised, kept: Kept) -> None:
    """Neither the agreement nor its recipient was revoked or changed while its rows were redacted; else nothing is published."""
    catalogue = site.catalogue()
    now = permitted(site, catalogue, catalogue.agreement(authorised.agreement.id), kept)
    changes = ("agreement_digest", "declaration", "recipient")
    if any(getattr(now, what) != getattr(authorised, what) for what in changes):
        raise Conflict(
            Code.AGREEMENT_CHANGED,
            f"agreement {authorised.agreement.id}, its recipient or a key of it was changed while its release was made.",
            next_step="rerun: the release will be made under the agreement as it is now.",
        )


def _redact_and_seal(
    site: Site, catalogue: Catalogue, authorised: Authorised, kept: Kept, name: str, spool: Spool
) -> Made:
    """Every chunk is redacted, cleared and sealed into the spool; the rows add up."""
    feed = catalogue.feed(authorised.agreement.feed)
    return make(
        authorised,
        kept,
        site.vault.rows(kept),
        feed=feed,
        schema=schema_of(feed, catalogue.code_lists),
        means=means(site, catalogue, authorised.agreement),
        parts=spool,
        written=part_bytes,
        release=name,
        tables=ToldTables(site.vault.store, site.vault.identities, authorised.agreement.id, name),
    )
