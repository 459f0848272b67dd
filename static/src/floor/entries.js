// What is entered at a step of a batch, by kind of step.

import { Component, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useBus, useService } from "@web/core/utils/hooks";

import { subtract } from "../numbers/number_parser";
import { localNumber, understand } from "../numbers/numbers";
import { formatDay, formatTime } from "./clock";
import { LABEL_USES, MATERIAL_USES } from "./constants";
import { NumberField, NumberPad, pressKey } from "./number_pad";
import { readPhoto } from "./photo";

/**
 * What is entered at a step. An entry keeps what a person typed and tells its parent what was understood of it and could
 * be recorded, numbers in their canonical form (NUM-010); the parent has the button. ``correcting`` is the entry that is
 * corrected, whose values are never filled in.
 */
class Entry extends Component {
    static props = {
        step: Object,
        correcting: { type: Object, optional: true },
        onChange: Function,
        onSubmit: Function,
        onRecord: Function,
    };
    static components = { NumberField, NumberPad };
    /** Names of the numbers, the first of which has the focus. */
    numbers = [];
    texts = {};

    get first() {
        return this.numbers[0];
    }

    setup() {
        this.localNumber = localNumber;
        this.formatDay = formatDay;
        this.formatTime = formatTime;
        this.state = useState({
            active: this.first,
            focusKey: 0,
            numbers: Object.fromEntries(this.numbers.map((name) => [name, ""])),
            ...this.texts,
        });
        useBus(this.env.floor.bus, "scanned", ({ detail }) => this.onScanned(detail));
    }

    get step() {
        return this.props.step;
    }

    /** @returns {{ kind: string, vals: Object, label: string, isReady: boolean }} */
    get draft() {
        return { kind: "", vals: {}, label: "", isReady: false };
    }

    onScanned() {}

    set(values) {
        Object.assign(this.state, values);
        this.changed();
    }

    changed() {
        this.props.onChange(this.draft);
    }

    /** What is understood of a number that was typed. */
    understood(name, unit = "") {
        return understand(this.state.numbers[name] || "", { unit });
    }

    /** The numbers by name in their canonical form; what is blank or refused is an empty text. */
    canonical(names = this.numbers) {
        return Object.fromEntries(names.map((name) => [name, this.understood(name).canonical ?? ""]));
    }

    /** Why one of these numbers is refused; empty where all are understood. */
    refused(names = this.numbers) {
        const refused = names.map((name) => this.understood(name)).find(({ isValid }) => !isValid);
        return refused ? refused.message : "";
    }

    setNumber(name, value) {
        this.state.numbers[name] = value;
        this.changed();
    }

    onKey(key, first = this.numbers[0]) {
        this.state.active ||= first;
        const name = this.state.active;
        this.setNumber(name, pressKey(this.state.numbers[name], key));
    }

    focus(name) {
        this.state.active = name;
        this.state.focusKey++;
    }

    /** Enter in a text goes on; it does not press the button of the form. */
    onTextKey(ev, callback) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            callback();
        }
    }

    /** Enter goes on to the next number, and from the last one to the button. */
    onEnter(name) {
        const next = this.numbers[this.numbers.indexOf(name) + 1];
        if (next && !this.draft.isReady) {
            this.focus(next);
        } else {
            this.props.onSubmit();
        }
    }
}

/** A number against limits, or a yield. */
export class ValueEntry extends Entry {
    static template = "mrp_mmr.FloorValueEntry";
    numbers = ["value"];
    texts = { isPlausible: false, destroyed: "", sampled: "" };

    set(name, value) {
        this.state[name] = value;
        this.changed();
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
            hint: refused || (!hasLot ? _t("Scan or choose the lot.") : !value ? _t("Type the weight.") : ""),
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
            hint: pass === false && !text.trim() ? _t("Say what was found.") : "",
        };
    }
}

export class EquipmentEntry extends Entry {
    static template = "mrp_mmr.FloorEquipmentEntry";
    texts = { equipmentId: false, code: "" };

    setup() {
        super.setup();
        this.orm = useService("orm");
        this.action = useService("action");
    }

    /** The unit that is chosen, or the only one, where it is not clean for this batch. */
    get unclean() {
        const { candidates } = this.step.equipment;
        const unit = candidates.length === 1 ? candidates[0] : candidates.find((row) => row.id === this.state.equipmentId);
        return unit?.unclean ? unit : false;
    }

    /** Opens the dialog of the cleaning that the batch waits for; its signature follows. */
    async onClean() {
        const action = await this.orm.call("maintenance.equipment", "action_mmr_clean_fully", [[this.unclean.id]]);
        return this.action.doAction(action, { onClose: () => this.env.floor.bus.trigger("changed") });
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

export class LabelsEntry extends Entry {
    static template = "mrp_mmr.FloorLabelsEntry";
    numbers = ["issued", ...LABEL_USES, "finished"];

    texts = { packId: false, version: "", lotName: "", coded: false, waiver: false, labelType: "roll", examinedBy: "", examination: "", text: "" };

    get first() {
        return false;
    }

    get pack() {
        const { packs } = this.step;
        return packs.length === 1 ? packs[0] : packs.find((pack) => pack.position === this.state.packId);
    }

    /** What is not accounted for yet; the server judges it. */
    get difference() {
        const names = ["issued", ...LABEL_USES];
        const [issued, ...uses] = Object.values(this.canonical(names));
        return issued && !this.refused(names) ? subtract(issued, ...uses.filter(Boolean)) : null;
    }

    get labels() {
        return {
            issued: _t("Issued"),
            used: _t("Used"),
            destroyed: _t("Destroyed"),
            sampled: _t("Samples"),
            returned: _t("Returned"),
            finished: _t("Finished packs"),
        };
    }

    get draft() {
        const { version, lotName, coded, waiver, labelType, examinedBy, examination, text } = this.state;
        const numbers = this.canonical();
        const refused = this.refused();
        const isPacked = Boolean(this.pack || !this.step.packs.length);
        const waived = waiver
            ? { waiver: true, label_type: labelType, examined_by: examinedBy, examination }
            : {};
        return {
            kind: "labels",
            vals: { position: this.pack?.position, version, lot_name: lotName, coded, text, ...numbers, ...waived },
            label: _t("reconciliation"),
            isReady: Boolean(isPacked && lotName.trim() && numbers.issued && numbers.used && !refused),
            hint: !isPacked ? _t("Choose the pack size.") : !lotName.trim() ? _t("Scan the roll or type its lot.") : refused,
        };
    }

    onScanned({ type, text, name }) {
        if (type === "text" || type === "lot") {
            this.set({ lotName: text || name });
        }
    }
}

/** Packaging materials of a pack size, one after the other. */
export class MaterialEntry extends Entry {
    static template = "mrp_mmr.FloorMaterialEntry";
    numbers = [...MATERIAL_USES];
    texts = { position: this.props.correcting?.position || this.nextPosition, lotName: "", text: "", isNotMade: false };

    get first() {
        return false;
    }

    get pack() {
        return this.step.packs[0];
    }

    /** The first material of which nothing was recorded. */
    get nextPosition() {
        const { step } = this.props;
        const row = step.packs[0].materials.find((row) => !this.isRecorded(row));
        return row ? row.position : false;
    }

    isRecorded(row) {
        return this.props.step.entries.some((entry) => entry.kind === "material" && entry.is_current && entry.position === row.position);
    }

    get material() {
        return this.pack.materials.find((row) => row.position === this.state.position);
    }

    get labels() {
        return { issued: _t("Issued"), used: _t("Used"), destroyed: _t("Destroyed"), returned: _t("Returned") };
    }

    get draft() {
        const { position, lotName, text, isNotMade } = this.state;
        if (isNotMade) {
            return {
                kind: "material", vals: { not_made: true, text }, label: _t("not made"), isReady: Boolean(text.trim()),
                hint: _t("Say why this pack is not made in this batch."),
            };
        }
        const numbers = this.canonical();
        const refused = this.refused();
        return {
            kind: "material",
            vals: { position, lot_name: lotName, text, ...numbers },
            label: this.material ? this.material.name : "",
            isReady: Boolean(this.material && lotName.trim() && numbers.issued && !refused),
            hint: !this.material ? _t("Choose the material.") : !lotName.trim() ? _t("Scan the material or type its lot.") : refused,
        };
    }

    onScanned({ type, text, name }) {
        if (type === "text" || type === "lot") {
            this.set({ lotName: text || name });
            this.focus("issued");
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
