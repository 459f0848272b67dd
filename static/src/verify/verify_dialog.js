// The dialog of a verification of evidence at work.

import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

/** A verification at work: short requests, one after the other, until it is finished or somebody stops it. */
export class VerifyDialog extends Component {
    static template = "mrp_mmr.VerifyDialog";
    static components = { Dialog };
    static props = { ids: { type: Array, element: Number }, onShow: Function, close: Function };

    setup() {
        this.orm = useService("orm");
        this.state = useState({ runs: [], isWorking: false });
        this.isWanted = true;
        onMounted(() => this.work());
        onWillUnmount(() => {
            if (this.isWanted && !this.isFinished) {
                this.orm.silent.call("mrp.audit.verify", "action_stop", [this.props.ids]);
            }
            this.isWanted = false;
        });
    }

    get title() {
        return _t("Verify Evidence");
    }

    get isFinished() {
        return this.state.runs.length && this.state.runs.every((run) => ["passed", "failed"].includes(run.state));
    }

    get findingCount() {
        return this.state.runs.reduce((total, run) => total + run.finding_count, 0);
    }

    async work() {
        this.state.isWorking = true;
        try {
            do {
                this.state.runs = await this.orm.silent.call("mrp.audit.verify", "work", [this.props.ids]);
            } while (this.isWanted && this.state.runs.some((run) => run.state === "running"));
        } finally {
            this.state.isWorking = false;
        }
    }

    async onStop() {
        this.isWanted = false;
        this.state.runs = await this.orm.call("mrp.audit.verify", "action_stop", [this.props.ids]);
        this.props.close();
    }

    onShow() {
        const { ids } = this.props;
        const failed = this.state.runs.filter((run) => run.state === "failed");
        const interesting = failed.length ? failed : this.state.runs.filter((run) => run.company_id);
        const shown = interesting.length === 1 && interesting[0].id;
        const target = { type: "ir.actions.act_window", name: this.title, res_model: "mrp.audit.verify" };
        this.props.onShow(
            shown
                ? { ...target, res_id: shown, views: [[false, "form"]] }
                : { ...target, views: [[false, "list"], [false, "form"]], domain: [["id", "in", ids]] }
        );
        this.props.close();
    }
}

registry.category("actions").add("mrp_mmr.verify", (env, action) => {
    let following = { type: "ir.actions.client", tag: "soft_reload" };
    env.services.dialog.add(
        VerifyDialog,
        {
            ids: action.params.ids,
            onShow: (target) => {
                following = target;
            },
        },
        { onClose: () => env.services.action.doAction(following) }
    );
});
