// Beside the step in hand: who signs, which times run, and what else can be done.

import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

import { localNumber } from "../numbers/numbers";
import { formatTime, Timer } from "./clock";
import { CLOSED } from "./constants";

/** When the time of a step runs out that has a limit. */
export function timeLimit({ started_at, time_limit }) {
    return luxon.DateTime.fromISO(started_at).plus({ minutes: Number(time_limit) }).toISO();
}

/** Who, until when, what went wrong, and what else can be done at the step. */
export class StepSide extends Component {
    static template = "mrp_mmr.FloorStepSide";
    static components = { Timer };
    static props = { data: Object };

    setup() {
        this.action = useService("action");
        this.formatTime = formatTime;
        this.localNumber = localNumber;
    }

    get step() {
        return this.props.data.step;
    }

    get batch() {
        return this.props.data.batch;
    }

    get floor() {
        return this.env.floor;
    }

    get isClosed() {
        return CLOSED.includes(this.step.state);
    }

    get timeLimit() {
        return timeLimit(this.step);
    }

    /** Limits of the batch; that of the step stands beside its clock. */
    get limits() {
        return this.batch.limits.filter((row) => row.kind !== "step");
    }

    openDocument(document) {
        return this.action.doAction({
            type: "ir.actions.act_window", res_model: "mrp.sop", res_id: document.id, views: [[false, "form"]], target: "new",
            name: document.name,
        });
    }

    async handOver() {
        const text = await this.floor.ask(_t("Hand over to the next shift"), _t("What the next person needs to know about this step."), _t("Hand Over"));
        if (text) {
            await this.floor.note(this.step, "handover", text);
        }
    }

    async comment() {
        const text = await this.floor.ask(_t("Comment"), "", _t("Record it"));
        if (text) {
            await this.floor.note(this.step, "comment", text);
        }
    }

    notDone() {
        return this.floor.sign("mrp.bpr.step", this.step.id, "not_done", {
            note: _t("The Production Responsible closes this step as not done, which opens a deviation."), isForOther: true });
    }
}
