// The one signature dialog.

import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Redline } from "../redline/redline";

/** Odoo's own code that asks a passkey; of its app for passkeys. */
export function getPasskeys() {
    return odoo.loader.modules.get("@auth_passkey/../lib/simplewebauthn");
}

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
        // The last one wins where both are there.
        useAutofocus({ refName: "password" });
        useAutofocus({ refName: "login" });
        this.state = useState({
            prepared: null, login: "", password: "", comment: "", refused: "", busy: false,
            other: Boolean(this.params.other), acceptance: null, accepted: false, askFormer: false, askLost: false, former: "", renew: false,
        });
        onWillStart(async () => {
            this.state.prepared = await this.call("esign_prepare", [this.params.signing_action]);
        });
    }

    call(method, args) {
        return this.orm.call(this.params.res_model, method, [this.params.res_ids || [this.params.res_id], ...args]);
    }

    /** In a continuous session the name stands there; another person still types both components. */
    get isContinuous() {
        return this.state.prepared.continuous && !this.state.other;
    }

    /** Odoo's own code for passkeys, where its app is installed and a passkey may be the key of the signer. */
    get passkeys() {
        const { passkeys, passkey, shared } = this.state.prepared;
        return passkeys && (passkey || shared) && getPasskeys();
    }

    get hasReason() {
        return !this.state.prepared.comment_required || this.state.comment.trim();
    }

    get isNamed() {
        const { login, busy, acceptance, accepted } = this.state;
        return Boolean(
            !busy && (this.isContinuous || login.trim()) && this.hasReason && (!acceptance || accepted)
        );
    }

    get canSign() {
        return this.isNamed && Boolean(this.state.password);
    }

    get login() {
        return this.isContinuous ? "" : this.state.login;
    }

    onOther() {
        this.state.other = true;
        this.state.login = "";
        this.state.password = "";
    }

    onLogin() {
        // What one person was asked to accept is not accepted by the next.
        this.state.acceptance = null;
        this.state.accepted = false;
        Object.assign(this.state, { askFormer: false, askLost: false, former: "", renew: false });
    }

    /** Enter, and a scanned badge, go on to the password. */
    onLoginKey(ev) {
        if (ev.key === "Enter" && !this.state.password) {
            ev.preventDefault();
            this.form.el.querySelector("[name=password]").focus();
        }
    }

    async onSign() {
        if (!this.canSign) {
            return;
        }
        const { password, former, renew } = this.state;
        const credential = { login: this.login, password, ...(former && { former }), ...(renew && { renew }) };
        Object.assign(this.state, { password: "", former: "" });
        await this.sign(credential);
    }

    async onPasskey() {
        if (!this.isNamed) {
            return;
        }
        this.state.refused = "";
        // The server fixes what is signed; its digest is what the passkey signs.
        const asked = await this.call("esign_passkey", [
            this.params.signing_action,
            this.login,
            this.state.prepared.digest,
            this.state.comment,
            this.state.prepared.annex_sha256,
        ]);
        if (asked.refused) {
            this.state.refused = asked.refused;
            return;
        }
        const answer = await this.passkeys.startAuthentication(asked.options).catch(() => null);
        if (answer) {
            await this.sign({ login: this.login, webauthn_response: JSON.stringify(answer) });
        }
    }

    async sign(credential) {
        this.state.busy = true;
        this.state.refused = "";
        try {
            const result = await this.call("esign", [
                this.params.signing_action,
                credential,
                this.state.prepared.digest,
                this.state.comment,
                this.state.prepared.annex_sha256,
                this.state.acceptance && this.state.accepted ? this.state.acceptance.sha256 : false,
            ]);
            if (result.acceptance) {
                this.state.acceptance = { ...result.acceptance, signer: result.signer };
                return;
            }
            if (result.refused) {
                this.state.refused = result.refused;
                // The key opens with the password that was valid before.
                this.state.askFormer = Boolean(result.former);
                this.state.askLost = Boolean(result.passkey);
                this.state.renew = false;
                // A wrong attempt ends a continuous session.
                this.state.prepared.continuous = false;
                return;
            }
        } finally {
            this.state.busy = false;
        }
        if (!this.params.quiet) {
            this.notification.add(_t("Signed: %s", this.state.prepared.record_name), { type: "success" });
        }
        await this.action.doAction({ type: "ir.actions.act_window_close" });
    }

    onCancel() {
        return this.action.doAction({ type: "ir.actions.act_window_close" });
    }
}

registry.category("actions").add("mrp_mmr.sign", SignDialog);
