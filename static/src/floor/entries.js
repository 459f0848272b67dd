// What is entered at a step of a batch, by kind of step.

import { useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useBus } from "@web/core/utils/hooks";

import { Entry } from "./entry";
import { LabelsEntry, MaterialEntry } from "./packing_entries";
import { readPhoto } from "./photo";

/** A number against limits, or a yield. */
export class ValueEntry extends Entry {
    static template = "mrp_mmr.FloorValueEntry";
    numbers = ["value"];
    texts = { destroyed: "", sampled: "" };

    setup() {
        super.setup();
        // The yield that the server asked about, as one that cannot have come out (VER-060).
        Object.assign(this.state, { asked: "", isPlausible: false });
        useBus(this.env.floor.bus, "refused", ({ detail }) => {
            if (detail.kind === "yield" && detail.error.includes("VER-060")) {
                this.state.asked = detail.vals.value;
            }
        });
    }

    set(name, value) {
        this.state[name] = value;
        this.changed();
    }

    /** Another number is another question. */
    setNumber(name, value) {
        this.state.isPlausible = false;
        super.setNumber(name, value);
    }

    get isAsked() {
        return Boolean(this.state.asked) && this.state.asked === this.understood("value").canonical;
    }

    get unit() {
        return this.step.band ? this.step.band.unit : this.step.unit;
    }

    get draft() {
        const { canonical, shown } = this.understood("value", this.unit || "");
        const { isPlausible, destroyed, sampled } = this.state;
        const extra = this.step.kind === "yield" && isPlausible ? { plausible: true } : {};
        if (this.step.serials) {
            Object.assign(extra, { destroyed, sampled });
        }
        return {
            kind: this.step.result_kind,
            vals: { value: canonical ?? "", ...extra },
            label: shown,
            isReady: canonical !== null,
            hint: this.refused(),
        };
    }
}

export class WeighEntry extends Entry {
    static template = "mrp_mmr.FloorWeighEntry";
    numbers = ["value"];
    texts = { lotId: false, lotName: "", unitId: this.props.step.weighing.unit_id, text: "", isBalanced: false };

    setup() {
        super.setup();
        if (this.state.isBalanced) {
            this.numbers = ["value", ...this.flows.map((flow) => flow.name)];
        }
    }

    /** The lot comes first. */
    get first() {
        return false;
    }

    get weighing() {
        return this.step.weighing;
    }

    get flows() {
        return [
            { name: "issued", label: _t("Issued") },
            { name: "returned", label: _t("Returned") },
            { name: "scrapped", label: _t("Scrapped") },
        ];
    }

    get unit() {
        return this.weighing.units.find((unit) => unit.id === this.state.unitId)?.name || this.weighing.unit;
    }

    get draft() {
        const { lotId, lotName, unitId, text, isBalanced } = this.state;
        const names = ["value", ...(isBalanced ? this.flows.map((flow) => flow.name) : [])];
        const { value, ...flows } = this.canonical(names);
        const refused = this.refused(names);
        // Of what was not needed no lot was taken.
        const hasLot = Boolean(lotName || /^0(\.0+)?$/.test(value));
        return {
            kind: "weight",
            vals: { value, unit_id: unitId, lot_id: lotId, lot_name: lotName, ...flows, ...(isBalanced ? { text } : {}) },
            label: [this.understood("value", this.unit).shown, lotName].filter(Boolean).join(", "),
            isReady: Boolean(value && hasLot && !refused),
            hint: refused || (!hasLot ? _t("Scan or choose the lot.") : !value ? _t("Enter the weight.") : ""),
        };
    }

    onScanned({ type, id, name, text, issue }) {
        if (type === "lot" && !issue) {
            this.setLot({ id: id || false, name });
        } else if (type === "text") {
            this.setLot({ id: false, name: text });
        }
    }

    setLot({ id, name }) {
        this.set({ lotId: id, lotName: name });
        this.focus("value");
    }

    onLotInput(ev) {
        this.set({ lotId: false, lotName: ev.target.value });
    }

    onLotEnter() {
        this.env.floor.scan(this.state.lotName);
    }

    onUnit(ev) {
        this.set({ unitId: parseInt(ev.target.value) });
    }

    onBalance() {
        this.numbers = ["value", ...this.flows.map((flow) => flow.name)];
        this.flows.forEach((flow) => (this.state.numbers[flow.name] ??= ""));
        this.set({ isBalanced: !this.state.isBalanced });
    }
}

export class ChecklistEntry extends Entry {
    static template = "mrp_mmr.FloorChecklistEntry";

    get rows() {
        const { correcting, step } = this.props;
        return correcting
            ? step.checklist
                  .filter((row) => row.position === correcting.position)
                  .map((row) => ({ ...row, entry_id: false, outcome: false }))
            : step.checklist;
    }

    /** The row that is answered next. */
    get next() {
        return this.rows.find((row) => !row.outcome);
    }

    entry(row) {
        return this.step.entries.find((entry) => entry.id === row.entry_id);
    }

    onYes(row) {
        return this.props.onRecord("check", { position: row.position, pass: true }, row.text);
    }

    async onNo(row) {
        const text = await this.env.floor.ask(_t("What was found?"), row.text, _t("Record it"));
        if (text) {
            await this.props.onRecord("check", { position: row.position, pass: false, text }, row.text);
        }
    }
}

export class OutcomeEntry extends Entry {
    static template = "mrp_mmr.FloorOutcomeEntry";
    texts = { pass: null, text: "" };

    get draft() {
        const { pass, text } = this.state;
        return {
            kind: "outcome",
            vals: { pass, text },
            label: pass === null ? "" : pass ? _t("conforms") : _t("does not conform"),
            isReady: pass !== null && (pass || Boolean(text.trim())),
            hint: pass === false && !text.trim() ? _t("Enter what was found.") : "",
        };
    }
}

export class EquipmentEntry extends Entry {
    static template = "mrp_mmr.FloorEquipmentEntry";
    texts = { equipmentId: false, code: "" };

    /** The unit that is chosen, or the only one, where it is not clean for this batch. */
    get unclean() {
        const { candidates } = this.step.equipment;
        const unit = candidates.length === 1 ? candidates[0] : candidates.find((row) => row.id === this.state.equipmentId);
        return unit?.unclean ? unit : false;
    }

    get draft() {
        const { equipmentId, code } = this.state;
        const unit = this.step.equipment.candidates.find((unit) => unit.id === equipmentId);
        return {
            kind: "equipment",
            vals: unit ? { equipment_id: unit.id } : { code },
            label: unit ? unit.name : code,
            isReady: Boolean(unit || code.trim()),
        };
    }
}

export class SampleEntry extends Entry {
    static template = "mrp_mmr.FloorSampleEntry";
    numbers = ["count", "size"];
    counts = ["count"];

    get draft() {
        const vals = this.canonical();
        const refused = this.refused();
        return {
            kind: "sample",
            vals,
            label: _t("%s samples", this.understood("count").shown),
            isReady: Boolean(vals.count && !refused),
            hint: refused,
        };
    }
}

export class PhotoEntry extends Entry {
    static template = "mrp_mmr.FloorPhotoEntry";
    texts = { url: "", name: "", data: "", text: "", error: "" };

    setup() {
        super.setup();
        this.file = useRef("file");
    }

    /** A picture is too large to be kept; it is taken again. */
    get kept() {
        return { numbers: {}, ...this.texts, text: this.state.text };
    }

    get draft() {
        const { name, data, text } = this.state;
        return { kind: "photo", vals: { name, data, text }, label: _t("photo"), isReady: Boolean(data) };
    }

    onLabelKey(ev) {
        if (["Enter", " "].includes(ev.key)) {
            ev.preventDefault();
            ev.stopPropagation();
            this.file.el.click();
        }
    }

    async onFile(ev) {
        const [file] = ev.target.files;
        if (file) {
            try {
                this.set({ ...(await readPhoto(file)), error: "" });
            } catch (error) {
                this.set({ url: "", data: "", error: error.message });
            }
        }
    }
}

/** The entry for what is recorded under each kind. */
export const ENTRIES = {
    check: ChecklistEntry,
    value: ValueEntry,
    yield: ValueEntry,
    outcome: OutcomeEntry,
    weight: WeighEntry,
    equipment: EquipmentEntry,
    labels: LabelsEntry,
    material: MaterialEntry,
    sample: SampleEntry,
    photo: PhotoEntry,
};
