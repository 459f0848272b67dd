// The page GMP Set-Up: what the company still needs, each row with its next action.

import { Component, onWillStart, useState } from "@odoo/owl";
import { deserializeDateTime, formatDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** State of a row → icon, color, name. */
const STATES = {
    done: { icon: "fa-check-circle text-success", label: _t("Done") },
    open: { icon: "fa-circle-o text-danger", label: _t("Open") },
    check: { icon: "fa-question-circle text-warning", label: _t("To be checked") },
    later: { icon: "fa-clock-o text-muted", label: _t("Later") },
    optional: { icon: "fa-circle-thin text-muted", label: _t("Optional") },
};

/** The set-up of a company: sections of rows, each with what, why, who, and a button that leads there. */
export class SetupPage extends Component {
    static template = "mrp_mmr.SetupPage";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.states = STATES;
        this.state = useState({ data: null });
        onWillStart(() => this.load());
    }

    async load() {
        this.state.data = await this.orm.call("res.company", "get_mmr_setup", []);
    }

    /** The first row that waits: its button is the primary one. */
    get next() {
        const rows = this.state.data.sections.flatMap((section) => section.rows);
        return rows.find((row) => row.action && ["open", "check"].includes(row.state))?.key;
    }

    get percent() {
        return Math.round((100 * this.state.data.done) / this.state.data.total);
    }

    date(value) {
        return formatDateTime(deserializeDateTime(value), { showSeconds: false });
    }

    open(row) {
        if (row.action.method) {
            return this.action.doActionButton({
                type: "object",
                resModel: "res.company",
                resId: this.state.data.id,
                resIds: [this.state.data.id],
                name: row.action.method,
                context: {},
                onClose: () => this.load(),
            });
        }
        return this.action.doAction(row.action, { onClose: () => this.load() });
    }
}

registry.category("actions").add("mrp_mmr.setup", SetupPage);
