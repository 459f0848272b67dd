// What is entered at steps that pack and label: labels and packaging materials, each reconciled.

import { _t } from "@web/core/l10n/translation";

import { subtract } from "../numbers/number_parser";
import { LABEL_USES, MATERIAL_USES } from "./constants";
import { Entry } from "./entry";

export class LabelsEntry extends Entry {
    static template = "mrp_mmr.FloorLabelsEntry";
    numbers = ["issued", ...LABEL_USES, "finished"];
    counts = this.numbers;
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
            hint: !isPacked ? _t("Choose the pack size.") : !lotName.trim() ? _t("Scan the roll or enter its lot.") : refused,
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
                hint: _t("Enter the reason why this pack size is not made in this batch."),
            };
        }
        const numbers = this.canonical();
        const refused = this.refused();
        return {
            kind: "material",
            vals: { position, lot_name: lotName, text, ...numbers },
            label: this.material ? this.material.name : "",
            isReady: Boolean(this.material && lotName.trim() && numbers.issued && !refused),
            hint: !this.material ? _t("Choose the material.") : !lotName.trim() ? _t("Scan the material or enter its lot.") : refused,
        };
    }

    onScanned({ type, text, name }) {
        if (type === "text" || type === "lot") {
            this.set({ lotName: text || name });
            this.focus("issued");
        }
    }
}
