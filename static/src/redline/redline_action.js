// The action that compares any two revisions.

import { Component, onWillStart, useState } from "@odoo/owl";
import { download } from "@web/core/network/download";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useSetupAction } from "@web/search/action_hook";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Redline } from "./redline";

/** Any two revisions of an MMR, or of MMRs of the same product, side by side. */
export class RedlineAction extends Component {
    static template = "mrp_mmr.RedlineAction";
    static components = { Layout, Redline };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.ui = useService("ui");
        this.display = { controlPanel: {} };
        this.state = useState({ view: null });
        useSetupAction({
            getLocalState: () => ({
                revisionId: this.state.view.revision_id,
                otherId: this.state.view.other_id,
            }),
        });
        onWillStart(async () => {
            // What was chosen last comes back with the breadcrumb, its revision also with the address of the page.
            const { revision_id, other_id } = this.props.action.params || {};
            const kept = this.props.state || {};
            await this.load(
                kept.revisionId || revision_id || this.props.resId,
                kept.otherId !== undefined ? kept.otherId : other_id
            );
        });
    }

    async load(revisionId, otherId) {
        this.state.view = await this.orm.call("mrp.mmr.revision", "get_redline_view", [
            [revisionId],
            otherId === undefined ? null : otherId,
        ]);
        this.props.updateActionState?.({ resId: revisionId });
    }

    onSelectAfter(ev) {
        return this.load(parseInt(ev.target.value), this.state.view.other_id);
    }

    onSelectBefore(ev) {
        return this.load(this.state.view.revision_id, parseInt(ev.target.value) || false);
    }

    onSwap() {
        return this.load(this.state.view.other_id, this.state.view.revision_id);
    }

    async onPrint() {
        const { revision_id, other_id } = this.state.view;
        this.ui.block();
        try {
            await download({ url: `/mrp_mmr/redline/${revision_id}/${other_id || 0}.pdf`, data: {} });
        } finally {
            this.ui.unblock();
        }
    }
}

registry.category("actions").add("mrp_mmr.redline", RedlineAction);
