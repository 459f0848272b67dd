// The review of a batch record by exception.

import { Component, onWillStart, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

/** Signing actions of the batch record → the method that opens their dialog. */
const METHODS = {
    approve_results: "action_approve_results",
    review: "action_review",
    produce: "action_produce",
    certify: "action_certify",
    release: "action_release",
    reject: "action_reject",
    release_packed: "action_release_packed",
    reject_packed: "action_reject_packed",
};

/** A batch reviewed by exception: each rule with its result, one click from its records, and the signatures in order. */
export class Review extends Component {
    static template = "mrp_mmr.Review";
    static components = { Layout };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.display = { controlPanel: {} };
        this.state = useState({ data: null, all: this.props.state?.all ?? false });
        useSetupAction({
            getLocalState: () => ({ bprId: this.state.data.id, all: this.state.all }),
        });
        onWillStart(() =>
            this.load(this.props.state?.bprId || this.props.action.params?.bpr_id || this.props.resId)
        );
    }

    async load(bprId = this.state.data.id) {
        this.state.data = await this.orm.call("mrp.bpr", "get_review", [[bprId]]);
        this.props.updateActionState?.({ resId: bprId });
    }

    /** Groups as they are shown: with exceptions first; what was found in order, too, where all of it is asked for. */
    get groups() {
        const groups = this.state.data.groups.map((group) => ({
            ...group,
            count: group.rules.reduce(
                (sum, rule) => sum + (rule.state === "exception" ? rule.items.length : 0), 0),
            rules: this.state.all ? group.rules : group.rules.filter((rule) => rule.state !== "ok"),
        }));
        return [...groups.filter((group) => group.count), ...groups.filter((group) => !group.count)];
    }

    get signActions() {
        return this.state.data.actions.map(([name, label]) => ({
            name,
            label,
            className: name.startsWith("reject") ? "btn-outline-danger" : "btn-primary",
        }));
    }

    icon(rule) {
        return { ok: "fa-check text-success", exception: "fa-exclamation-triangle text-danger", info: "fa-info-circle text-info" }[
            rule.state
        ];
    }

    onToggle() {
        this.state.all = !this.state.all;
    }

    open({ model, id }) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
        });
    }

    /** Opens the dialog that settles an open item, or else the record that it is about. */
    async onIssue(issue) {
        if (!issue.action) {
            return this.open(issue);
        }
        return this.openDialog(issue.action);
    }

    openRecord() {
        return this.open({ model: "mrp.bpr", id: this.state.data.id });
    }

    async onSign(name) {
        const action = await this.orm.call("mrp.bpr", METHODS[name], [[this.state.data.id]]);
        return this.action.doAction(action, { onClose: (infos) => this.onClose(infos) });
    }

    async onEnterResults() {
        return this.openDialog("mrp_mmr.mrp_bpr_test_action");
    }

    async openDialog(name) {
        return this.action.doAction(name, {
            additionalContext: { active_id: this.state.data.id, default_bpr_id: this.state.data.id },
            onClose: (infos) => this.onClose(infos),
        });
    }

    /** Odoo closes a dialog after this: never make it wait for a screen that was left meanwhile. */
    onClose({ noReload } = {}) {
        if (!noReload) {
            this.load();
        }
    }
}

registry.category("actions").add("mrp_mmr.review", Review);
