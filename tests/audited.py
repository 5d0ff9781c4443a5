"""A site after a rich exchange, for audits: good, partly bad and refused deliveries, releases that were withdrawn and made anew,
acknowledged and witnessed ones, a declaration, and a delivery that still waits."""

import hashlib
import io
from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pipeline import journey
from pipeline.core.acknowledgement import Acknowledgement, acknowledgement_text
from pipeline.core.language.purpose import Declaration
from pipeline.core.notes import KeyKind, VerifierKey
from pipeline.edges import record
from pipeline.edges.checkpoints import cosign, raw
from pipeline.edges.declarations import Declared
from pipeline.edges.opening import read_private_key, sign
from pipeline.edges.publication import Published
from samples import aeo_members, pnr_push
from tests.exchange import FEW, Exchange

WITNESS = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"a witness").digest())
WITNESS_KEY = VerifierKey("customs.example/witness", KeyKind.WITNESS, raw(WITNESS.public_key()))


def rich(directory: Path) -> Exchange:
    """The site, two days after all that."""
    exchange = Exchange(directory, feeds=FEW)
    (directory / "site" / "keys" / "witnesses.txt").write_text(f"eu-customs {WITNESS_KEY}\n", encoding="utf-8")
    _deliveries(exchange)
    exchange.run()
    exchange.now += timedelta(hours=1)
    _withdrawn_and_anew(exchange)
    _acknowledged(exchange, exchange.published("eu-us-aeo")[0] if exchange.published("eu-us-aeo") else _any(exchange))
    cosigned(exchange)
    _waiting(exchange)
    exchange.now += timedelta(days=2)
    return exchange


def cosigned(exchange: Exchange, name: str = "now") -> bytes:
    """The partner's witness has cosigned the ledger as it is, and it was taken in; the note."""
    found = exchange.site.ledger.checkpoint()
    note = found.note + str(cosign(found, WITNESS_KEY.name, WITNESS, exchange.now).signature).encode()
    exchange.site.landing.store.put_new(f"returns/eu-customs/{name}.cosigned", note)
    exchange.now += timedelta(seconds=30)
    journey.sweep(exchange.site)
    return note


def _deliveries(exchange: Exchange) -> None:
    for number, bad in enumerate((0.0, 0.02)):
        out = io.BytesIO()
        aeo_members.write(out, operators=60, seed=number, bad_share=bad)
        exchange.drop("aeo-members", out.getvalue(), f"list-{number}.csv")
    pushes = io.BytesIO()
    pnr_push.write(pushes, travellers=20, seed=1, bad_share=0.0)
    exchange.drop("pnr-push", pushes.getvalue(), "push.edi")
    exchange.drop("pnr-push", pushes.getvalue()[:-500], "cut.edi")
    exchange.drop("nowhere", b"lost\n", "lost.csv")


def _withdrawn_and_anew(exchange: Exchange) -> None:
    site = exchange.site
    for number, published in enumerate(sorted(site.publication.releases(), key=lambda one: one.release)[:2]):
        journey.withdraw(site, published.release, by="j.example", why="a wrong unit", reissue=number == 0)
        if number == 0:
            kept, agreement = published.predicate["made_of"]["kept"], published.predicate["agreement"]["id"]
            said = site.catalogue().agreement(agreement).declared
            declared = Declared(declaration=said or Declaration(purpose="none"), by="j.example", at=exchange.now)
            record.declare(site, site.catalogue().agreement(agreement), kept, declared)
            journey.release(site, agreement, kept)
    exchange.now += timedelta(hours=1)


def _any(exchange: Exchange) -> Published:
    return next(one for one in exchange.site.publication.releases() if one.recipient == "eu-customs")


def _acknowledged(exchange: Exchange, published: Published) -> None:
    partner = published.recipient
    said = Acknowledgement(published.release, partner, published.manifest_digest, "Registry", exchange.now)
    text = acknowledgement_text(said)
    key = read_private_key((exchange.directory / "demo" / f"{partner}.ed25519").read_bytes())
    exchange.site.landing.store.put_new(f"returns/{partner}/ours.json.sig", sign([text], key))
    exchange.site.landing.store.put_new(f"returns/{partner}/ours.json", text)
    exchange.now += timedelta(minutes=1)
    journey.sweep(exchange.site)


def _waiting(exchange: Exchange) -> None:
    """A delivery is claimed, and nobody has received it."""
    out = io.BytesIO()
    aeo_members.write(out, operators=5, seed=9, bad_share=0.0)
    exchange.drop("aeo-members", out.getvalue(), "waits.csv")
    journey.sweep(exchange.site)
