import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Redline } from "../redline/redline";

/**
 * The one signature dialog. It shows what is signed and sends user name and password once, as
 * arguments of the call: they never enter a field, a context or the browser's storage.
 */
export class SignDialog extends Component {
    static template = "mrp_mmr.SignDialog";
    static components = { Redline };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.params = this.props.action.params;
        this.form = useRef("form");
        useAutofocus({ refName: "login" });
        this.state = useState({ prepared: null, login: "", password: "", comment: "", refused: "", busy: false });
        onWillStart(async () => {
            this.state.prepared = await this.call("esign_prepare", [this.params.signing_action]);
        });
    }

    call(method, args) {
        return this.orm.call(this.params.res_model, method, [[this.params.res_id], ...args]);
    }

    get canSign() {
        const { login, password, comment, prepared, busy } = this.state;
        return Boolean(
            !busy && login.trim() && password && (!prepared.comment_required || comment.trim())
        );
    }

    async onSign() {
        if (!this.canSign) {
            return;
        }
        this.state.busy = true;
        this.state.refused = "";
        const credential = { login: this.state.login, password: this.state.password };
        this.state.password = "";
        try {
            const result = await this.call("esign", [
                this.params.signing_action,
                credential,
                this.state.prepared.digest,
                this.state.comment,
                this.state.prepared.annex_sha256,
            ]);
            if (result.refused) {
                this.state.refused = result.refused;
                return;
            }
        } finally {
            this.state.busy = false;
        }
        this.notification.add(_t("Signed: %s", this.state.prepared.record_name), { type: "success" });
        await this.action.doAction({ type: "ir.actions.act_window_close" });
    }

    onCancel() {
        return this.action.doAction({ type: "ir.actions.act_window_close" });
    }
}

registry.category("actions").add("mrp_mmr.sign", SignDialog);
