// The dialog in which its owner sets the signing password.

import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { getPasskeys } from "./sign_dialog";

/** The owner sets the signing password: sent once, as arguments of the call, and kept in no field. */
export class SigningPasswordDialog extends Component {
    static template = "mrp_mmr.SigningPasswordDialog";
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.notification = useService("notification");
        this.params = this.props.action.params;
        this.first = this.params.first && !this.params.has_one;
        this.state = useState({ current: "", password: "", again: "", refused: "", made: "", inForce: false, busy: false });
    }

    get canSave() {
        const { current, password, again, busy } = this.state;
        if (this.params.key) {
            return Boolean(!busy && current);
        }
        return Boolean(!busy && (this.first || current) && password && password === again);
    }

    async onSave() {
        if (!this.canSave) {
            return;
        }
        this.state.busy = true;
        const { current, password } = this.state;
        Object.assign(this.state, { current: "", password: "", again: "", refused: "" });
        try {
            const result = this.params.key
                ? await this.orm.call("res.users", "mmr_make_key", [current])
                : await this.orm.call("res.users", "mmr_set_signing_password", [current, password]);
            if (result.refused) {
                this.state.refused = result.refused;
                return;
            }
            if (this.params.key) {
                Object.assign(this.state, { made: result.done, inForce: result.in_force });
                return;
            }
        } finally {
            this.state.busy = false;
        }
        this.notification.add(_t("Your signing password is set."), { type: "success" });
        await this.onCancel();
    }

    /** Odoo's own code for passkeys, where the person has one. */
    get passkeys() {
        return this.params.passkey && getPasskeys();
    }

    /** The own passkey becomes the key. */
    async onPasskey() {
        this.state.refused = "";
        const asked = await this.orm.call("res.users", "mmr_ask_passkey", []);
        const answer = asked.options
            ? await this.passkeys.startAuthentication(asked.options).catch(() => null)
            : null;
        if (!answer) {
            this.state.refused = asked.refused || "";
            return;
        }
        const result = await this.orm.call("res.users", "mmr_make_passkey", [JSON.stringify(answer)]);
        Object.assign(this.state, { refused: result.refused || "", made: result.done || "", inForce: false });
    }

    onCancel() {
        return this.action.doAction({ type: "ir.actions.act_window_close" });
    }
}

registry.category("actions").add("mrp_mmr.signing_password", SigningPasswordDialog);
