// The card of a running batch on the shop floor.

import { Component } from "@odoo/owl";

import { formatTime, Timer } from "./clock";

export const STATE_ICONS = {
    open: "fa-circle-o", started: "fa-play-circle", checking: "fa-users", done: "fa-check-circle", not_done: "fa-ban",
};

/** A running batch: what it is, how far it is, for whom it waits, and what is wrong or runs out. */
export class BatchCard extends Component {
    static template = "mrp_mmr.FloorBatchCard";
    static components = { Timer };
    static props = { batch: Object, onOpen: Function };

    setup() {
        this.formatTime = formatTime;
    }

    get percent() {
        const { closed, total } = this.props.batch;
        return total ? Math.floor((100 * closed) / total) : 0;
    }
}
