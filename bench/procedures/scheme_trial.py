"""Trying small schemes on a meter: programmed, looked at, and afterwards the meter is given back what it held."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, Undeterminable
from bench.procedures.keeping import bringing_back
from bench.scheme.elster import ElsterScheme
from bench.scheme.export import Held, read_held
from bench.scheme.load import scheme_from_text
from bench.scheme.model import Scheme
from bench.scheme.plan import Plan, plan_of
from bench.scheme.programming import Programming
from bench.scheme.report import SchemeReport
from bench.scheme.snapshot import Snapshot, take
from protocols.elster.configuration import layout

if TYPE_CHECKING:
    from bench.bench import Bench
    from bench.drivers.elster import Elster

USER = "SCHEME TRIAL"


class SchemeTrial:
    """Small schemes for one meter.

    Args:
        meter: its driver.
        bench: gives permission and keeps the journal.
        driver: how a scheme goes into it; a scenario that interferes brings its own.
    """

    def __init__(self, meter: Elster, bench: Bench, driver: ElsterScheme | None = None) -> None:
        self.meter = meter
        self._bench = bench
        self.driver = driver or ElsterScheme(meter)
        #: What the meter held before the latest programming, as soon as that is known.
        self.kept: Snapshot | None = None
        self.report: SchemeReport | None = None
        self._whole: Snapshot | None = None

    def scheme(self, sections: str, id_: str = "TRIAL-1", model: str = "") -> Scheme:
        """A scheme of these sections of YAML; `{vt}` is where the voltage transformer of a model stands."""
        model = model or self.meter.device.model
        vt = ", vt: {primary: 11000, secondary: 110}" if model == "A1700" else ""
        text = f"scheme: 1\nid: {id_}\nversion: 1\nmodels: [{model}]\n{sections.replace('{vt}', vt)}"
        return scheme_from_text(text, "trial.yaml")

    def plan(self, sections: str, id_: str = "TRIAL-1", passwords: Mapping[str, str] | None = None) -> Plan:
        """What such a scheme writes.

        Raises:
            Undeterminable: identities of it are assumed, and the meter is a real one.
        """
        plan = plan_of(self.scheme(sections, id_), self.meter.device.model, passwords or {})
        assumed = [write.item.name.replace("_", " ") for write in plan.writes if write.item.confidence == "A"]
        if assumed and self._bench.host.kind == "real":
            lacks = f"identities that a public document gives to {', '.join(assumed)}"
            raise Undeterminable("what a scheme does", lacks)
        return plan

    def refuse_other(self, scheme: Scheme) -> None:
        """Refuse a scheme for another model.

        Raises:
            UsageError: it is for another one.
        """
        plan_of(scheme.without_passwords(), self.meter.device.model, {})

    def program(self, plan: Plan, **options: Any) -> SchemeReport:
        """Program it; what is found and done is in `report`, even when it breaks off."""
        armed = self._bench.arm(self.meter)

        def keep(snapshot: Snapshot) -> None:
            self.kept = snapshot

        def tell(report: SchemeReport) -> None:
            self.report = report

        return Programming(
            self.driver, plan, armed=armed, journal=self._bench.journal, user=USER, serial=self.meter.device.serial,
            keep=keep, on_report=tell, **options,
        ).run()  # fmt: skip

    def keep_all(self) -> None:
        """Keep everything that a scheme can program and that can be read, to be restored instead of the latest."""
        items = [item for item in layout(self.meter.device.model).items.values() if item.readable and item.section]
        found = self.driver.identify()
        self.driver.log_in(None, 0, "")
        held = {each.name: self.driver.read_object(each.number, each.size) for each in items if each.name != "user"}
        count = self.driver.read_programming_log().count
        self._whole = take(self.meter.name, found.model, found.serial, "everything", count, held)

    def restore(self) -> None:
        """Give the meter back what it held before the latest programming; passwords stay."""
        kept, self.driver = self._whole or self.kept, ElsterScheme(self.meter)
        if kept is not None:
            with bringing_back(self.meter.name, "the scheme"):
                self.program(kept.restoring(), restoring=kept)
        self.kept = self._whole = None

    @contextmanager
    def programmed(self, plan: Plan) -> Iterator[SchemeReport]:
        """Have a scheme for a while, and then what was there before."""
        try:
            yield self.program(plan)
        finally:
            self.restore()

    def held(self) -> Held:
        """What the meter holds now."""
        self.driver.log_in(None, 0, "")
        try:
            return read_held(self.driver)
        finally:
            with suppress(BenchError):
                self.driver.log_out()

    @contextmanager
    def counting_bytes(self) -> Iterator[dict[str, int]]:
        """How many bytes are sent and received meanwhile."""
        count = {"tx": 0, "rx": 0}
        session = self.meter.session
        record = session.record

        def counted(way: str, data: bytes) -> None:
            if way in count:
                count[way] += len(data)
            if record is not None:
                record(way, data)

        session.record = counted
        try:
            yield count
        finally:
            session.record = record
