// What was recorded at a step, with what corrected it and what was said about it.

import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { formatTime } from "./clock";
import { EntryDialog, EntryInfoDialog } from "./dialogs";
import { ENTRIES } from "./entries";

/** The entries of a step, those that wait for the connection included; a touch on one corrects it or comments it. */
export class Recorded extends Component {
    static template = "mrp_mmr.FloorRecorded";
    static props = { step: Object, waiting: Array };

    setup() {
        this.dialog = useService("dialog");
        this.formatTime = formatTime;
    }

    get step() {
        return this.props.step;
    }

    get floor() {
        return this.env.floor;
    }

    /** What was recorded, each correction under what it corrects; notes about a value belong to it. */
    get entries() {
        return this.step.entries.filter((entry) => !entry.corrects_id && !entry.about_id);
    }

    history(entry) {
        const rows = [entry];
        for (const row of rows) {
            rows.push(...this.step.entries.filter((other) => other.corrects_id === row.id));
        }
        return rows;
    }

    valid(entry) {
        const history = this.history(entry);
        return history.find((row) => row.is_current) || history.at(-1);
    }

    comments(entry) {
        const ids = this.history(entry).map((row) => row.id);
        return this.step.entries.filter((row) => ids.includes(row.about_id));
    }

    outcomeIcon(entry) {
        return { pass: "fa-check-circle text-success", fail: "fa-times-circle text-danger" }[entry.outcome] || "fa-circle-o text-muted";
    }

    openEntry(entry) {
        const history = this.history(entry);
        const valid = this.valid(entry);
        const last = history.find((row) => !row.corrected_by.length) || valid;
        const proposed = history.filter((row) => row.is_proposed);
        const actions = [];
        for (const row of proposed) {
            actions.push({
                name: "sign", label: row.signatures.length ? _t("Verify the correction (sign)") : _t("Sign the correction"),
                run: () => this.floor.sign("mrp.bpr.entry", row.id, row.signatures.length ? "verified" : "corrected", {
                    isForOther: row.signatures.length > 0 }),
            });
        }
        if (last.can_correct && this.step.can_perform && ENTRIES[last.kind]) {
            actions.push({ name: "correct", label: _t("Correct..."), run: () => this.correct(last) });
        }
        if (valid.kind === "value" && valid.outcome === "fail" && this.step.needs_retest) {
            actions.push({ name: "retest", label: _t("Authorise a retest..."), run: () => this.floor.sign("mrp.bpr.step", this.step.id, "authorise_retest", { isForOther: true }) });
        }
        if (this.step.can_perform) {
            actions.push({ name: "comment", label: _t("Comment..."), run: () => this.comment(valid) });
        }
        this.dialog.add(EntryInfoDialog, { entry: valid, history, comments: this.comments(entry), actions });
    }

    correct(entry) {
        this.dialog.add(EntryDialog, {
            floor: this.floor, title: _t("Correct: %s", entry.kind_label), step: this.step, kind: entry.kind, correcting: entry,
            record: (draft, reason) => this.floor.record(this.step, draft, { reason, corrects: entry.id }),
        });
    }

    async comment(entry) {
        const text = await this.floor.ask(_t("Comment"), entry ? entry.summary || entry.kind_label : "", _t("Record it"));
        if (text) {
            await this.floor.note(this.step, "comment", text, entry?.id);
        }
    }
}
