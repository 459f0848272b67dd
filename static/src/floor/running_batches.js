// The supervisor's view of all running batches.

import { Component, onWillStart, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { formatTime, setServerTime, Timer } from "./clock";
import { callServer } from "./floor_rpc";
import { useFloorBus } from "./live";

const FILTERS = {
    deviations: (row) => row.deviations.length > 0,
    waiting: (row) => ["verifier", "qc", "qp", "production"].includes(row.waits.role),
    limits: (row) => row.limits.length > 0,
};

/** The supervisor's view: every running batch, for whom it waits, and what is wrong with it; it follows the floor by itself. */
export class RunningBatches extends Component {
    static template = "mrp_mmr.RunningBatches";
    static components = { Layout, Timer };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.formatTime = formatTime;
        this.state = useState({ batches: [], left_off: 0, filter: "", changed: false });
        this.listen = useFloorBus(({ bpr_id }) => this.load(bpr_id));
        onWillStart(() => this.load());
    }

    async load(changed = false) {
        const { now, channels, ...rows } = await callServer(this.orm, "mrp.bpr", "get_floor_batches");
        setServerTime(now);
        this.listen(channels);
        Object.assign(this.state, rows, { changed });
    }

    get filters() {
        const names = { deviations: _t("Deviations"), waiting: _t("Waiting for verification"), limits: _t("Time limit running") };
        return Object.entries(names).map(([name, label]) => ({
            name, label, count: this.state.batches.filter(FILTERS[name]).length }));
    }

    /** Trouble first: stopped work, then what ran out or runs out next, then what waits longest. */
    get rows() {
        const keep = FILTERS[this.state.filter] || (() => true);
        const rank = (row) => [
            row.deviations.some((deviation) => deviation.is_blocking) ? 0 : 1,
            row.limits[0]?.until || "9",
            row.waits.since || "9",
        ];
        return this.state.batches.filter(keep).sort((a, b) => {
            const [first, second] = [rank(a), rank(b)];
            const differing = first.findIndex((value, index) => value !== second[index]);
            return differing < 0 ? a.id - b.id : first[differing] < second[differing] ? -1 : 1;
        });
    }

    percent(row) {
        return row.total ? Math.floor((100 * row.closed) / row.total) : 0;
    }

    onFilter(name) {
        this.state.filter = this.state.filter === name ? "" : name;
    }

    open(row) {
        return this.action.doAction("mrp_mmr.mrp_mmr_floor_action", { props: { resId: row.id } });
    }

    openRecord(row) {
        return this.action.doAction({ type: "ir.actions.act_window", res_model: "mrp.bpr", res_id: row.id, views: [[false, "form"]] });
    }

    openDeviation(deviation) {
        return this.action.doAction({
            type: "ir.actions.act_window", res_model: "mrp.deviation", res_id: deviation.id, views: [[false, "form"]] });
    }
}

registry.category("actions").add("mrp_mmr.running_batches", RunningBatches);
