// My Work: what waits for the person who is logged in, and what is late or runs.

import { Component, onWillStart, useExternalListener, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { formatDay, formatTime, setServerTime } from "../floor/clock";

/** Milliseconds after which the page is read again when somebody comes back to it. */
const STALE = 30000;

/** The start page of every GMP role: a line for each record, which leads to it; a number for each kind, which leads to the list. */
export class MyWork extends Component {
    static template = "mrp_mmr.MyWork";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ data: null, isLost: false });
        // Work is done in other windows as well, and on the floor.
        useExternalListener(window, "focus", () => this.refresh());
        onWillStart(() => this.load());
    }

    async load() {
        const data = await this.orm.call("mrp.my.work", "get_my_work", []);
        setServerTime(data.now);
        this.readAt = Date.now();
        Object.assign(this.state, { data, isLost: false });
    }

    /** Read it again where it may be out of date; what is shown stays where nobody answers, and says so. */
    async refresh({ force = false } = {}) {
        if (!force && Date.now() - this.readAt < STALE) {
            return;
        }
        try {
            await this.load();
        } catch {
            this.state.isLost = true;
        }
    }

    /** Sections as they are shown: what waits and what can begin on the left, the rest beside it. */
    get columns() {
        const by = Object.fromEntries(this.state.data.sections.map((section) => [section.code, section]));
        return [
            { name: "do", sections: [by.sign, by.today].filter(Boolean) },
            { name: "know", sections: [by.late, by.mine, by.running].filter(Boolean) },
        ];
    }

    /** Since when a line waits, or until when it is to be done. */
    time(line) {
        // The hour says something today only.
        const show = (text) => {
            const time = text.length > 10 ? formatTime(text) : "";
            return time && time.length <= 5 ? time : formatDay(text);
        };
        if (line.due) {
            return line.is_late ? _t("was due %s", show(line.due)) : _t("due %s", show(line.due));
        }
        return line.since ? _t("since %s", show(line.since)) : "";
    }

    /** Open a record where its button is at hand. */
    open(group, line) {
        const floor = "mrp_mmr.floor";
        return this.action.doAction(
            group.opens
                ? {
                      type: "ir.actions.client", tag: group.opens, name: line.name, params: line.params,
                      target: group.opens === floor ? "fullscreen" : "current",
                  }
                : { type: "ir.actions.act_window", res_model: group.model, res_id: line.id, views: [[false, "form"]] }
        );
    }

    /** Open the list of exactly the records that were counted. */
    openList(group) {
        return this.action.doAction({
            type: "ir.actions.act_window", name: group.title, res_model: group.model, domain: [["id", "in", group.ids]],
            views: [[false, "list"], [false, "form"]], context: { create: false },
        });
    }

    async onSetHome() {
        await this.orm.call("mrp.my.work", "set_home", []);
        this.state.data.is_home = true;
    }
}

registry.category("actions").add("mrp_mmr.my_work", MyWork);
