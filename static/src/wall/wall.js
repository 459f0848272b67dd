// The wall view: what runs, what stands still and what waits for Quality Control, on a large screen that nobody touches.

import { Component, onWillStart, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { formatTime, setServerTime, Timer } from "../floor/clock";
import { useFloorBus } from "../floor/live";

const { DateTime } = luxon;

/** The wall: it follows the floor by itself, and says in red since when it could not. */
export class Wall extends Component {
    static template = "mrp_mmr.Wall";
    static components = { Timer };
    static props = { ...standardActionServiceProps };
    static target = "fullscreen";
    static path = "gmp-wall";

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.formatTime = formatTime;
        this.state = useState({ data: null, readAt: "", lostSince: "" });
        this.listen = useFloorBus(() => this.refresh());
        onWillStart(() => this.load());
    }

    async load() {
        const data = await this.orm.silent.call("mrp.bpr", "get_wall", []);
        setServerTime(data.now);
        this.listen(data.channels);
        Object.assign(this.state, { data, readAt: data.now, lostSince: "" });
    }

    /** Nobody is there to read an error: what was read last stays, under a line that says how old it is. */
    async refresh() {
        try {
            await this.load();
        } catch {
            this.state.lostSince = this.state.readAt;
        }
    }

    isOver(limit) {
        return DateTime.fromISO(limit.until) < DateTime.fromISO(this.state.data.now);
    }

    isLate(row) {
        return row.limits.some((limit) => this.isOver(limit));
    }

    isHeld(row) {
        return row.decision === "stop" || row.decision === "pending" || row.deviations.some((deviation) => deviation.is_blocking);
    }

    leave() {
        return this.action.doAction("mrp_mmr.mrp_my_work_action", { clearBreadcrumbs: true });
    }
}

registry.category("actions").add("mrp_mmr.wall", Wall);
