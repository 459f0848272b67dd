// The one signature dialog.

import { Component, onWillStart, useRef, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { ConnectionLostError } from "@web/core/network/rpc";
import { registry } from "@web/core/registry";
import { useAutofocus, useService } from "@web/core/utils/hooks";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { Redline } from "../redline/redline";
import { forgetHalves, getHalf, keepHalf, makeHalf } from "./pin_halves";
import { isEasy, PinPad } from "./pin_pad";

/** Odoo's own code that asks a passkey; of its app for passkeys. */
export function getPasskeys() {
    return odoo.loader.modules.get("@auth_passkey/../lib/simplewebauthn");
}

/**
 * The one signature dialog. It shows what is signed and sends user name and password once, as
 * arguments of the call: they never enter a field, a context or the browser's storage. At a registered terminal
 * a PIN can be set with them; for the rest of the session the person is chosen by a touch, and types the PIN.
 */
export class SignDialog extends Component {
    static template = "mrp_mmr.SignDialog";
    static components = { PinPad, Redline };
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
            // How it is signed: with "all" components, with a "pin", or with all of them while a "new" PIN is set.
            mode: "all", token: "", pin: "", chosenPin: "",
        });
        onWillStart(async () => {
            this.state.prepared = await this.call("esign_prepare", [this.params.signing_action]);
            this.choosePerson();
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

    // === PIN === //

    /** Who signs here with a PIN: those whose halves this window holds. */
    get persons() {
        return (this.state.prepared.pin?.persons || []).filter((person) => getHalf(person.token).half);
    }

    get person() {
        return this.persons.find((person) => person.token === this.state.token);
    }

    /** The one who is likely to sign: at the own step the person of the session, for others another one. */
    choosePerson() {
        forgetHalves(this.persons.map((person) => person.token));
        const person = this.persons.find((person) => person.is_own === !this.state.other);
        Object.assign(this.state, { mode: person ? "pin" : "all", token: person?.token || "", pin: "", chosenPin: "" });
    }

    onPerson(person) {
        Object.assign(this.state, { mode: "pin", token: person.token, pin: "" });
    }

    /** All components again: a colleague, a new PIN, or no PIN at all. */
    onAll() {
        Object.assign(this.state, { mode: "all", pin: "", chosenPin: "", refused: "" });
    }

    get pinLabel() {
        if (this.state.mode === "pin") {
            const { meaning_label: meaning, record_name: record } = this.state.prepared;
            return _t("PIN of %(name)s for %(record)s: %(meaning)s", { name: this.person.name, record, meaning });
        }
        return this.state.chosenPin ? _t("The new PIN again") : _t("New PIN, at least %s digits", this.state.prepared.pin.length);
    }

    get canPin() {
        const { mode, pin, busy } = this.state;
        const least = mode === "new" ? this.state.prepared.pin.length : 1;
        return !busy && this.hasReason && pin.length >= least;
    }

    /** The last digit signs, where nothing else is missing. */
    onPin(pin) {
        const { mode, token, chosenPin, acceptance } = this.state;
        const length = mode === "pin" ? getHalf(token).length : chosenPin.length;
        const isLast = pin.length === length && pin.length > this.state.pin.length;
        this.state.pin = pin;
        if (isLast && !acceptance) {
            this.onSubmit();
        }
    }

    /** The password is typed; before it is sent, a PIN is chosen. */
    onSetPin() {
        if (this.isContinuous) {
            this.onOther();
            this.state.refused = _t("For a new PIN, type user name and password.");
        } else if (this.canSign) {
            Object.assign(this.state, { mode: "new", pin: "", chosenPin: "", refused: "" });
        }
    }

    onSubmit() {
        if (this.state.mode === "all") {
            return this.onSign();
        }
        if (this.canPin) {
            return this.state.mode === "pin" ? this.signWithPin() : this.chooseNewPin();
        }
    }

    signWithPin() {
        const { token, pin } = this.state;
        this.state.pin = "";
        return this.sign({ token, pin, half: getHalf(token).half });
    }

    chooseNewPin() {
        const { pin, chosenPin } = this.state;
        Object.assign(this.state, { pin: "", refused: "" });
        if (!chosenPin && isEasy(pin)) {
            this.state.refused = _t("Everybody would try this PIN first. Choose one whose digits are not all the same and do not rise or fall one by one.");
        } else if (!chosenPin) {
            this.state.chosenPin = pin;
        } else if (pin !== chosenPin) {
            Object.assign(this.state, { chosenPin: "", refused: _t("It was another PIN the second time. Choose it again.") });
        } else {
            return this.sendNewPin(pin);
        }
    }

    async sendNewPin(pin) {
        const { password, former, renew } = this.state;
        Object.assign(this.state, { password: "", former: "", chosenPin: "", mode: "all" });
        await this.sign({
            login: this.login, password, new_pin: pin, half: makeHalf(), ...(former && { former }), ...(renew && { renew }),
        });
    }

    /** After a wrong PIN: the session may have ended. */
    async lookForPersons() {
        const prepared = await this.call("esign_prepare", [this.params.signing_action]).catch(() => ({ pin: false }));
        this.state.prepared.pin = prepared.pin;
        if (!this.person) {
            Object.assign(this.state, { mode: "all", token: "", pin: "" });
        }
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
                if (credential.pin) {
                    return await this.lookForPersons();
                }
                // The key opens with the password that was valid before.
                this.state.askFormer = Boolean(result.former);
                this.state.askLost = Boolean(result.passkey);
                this.state.renew = false;
                // A wrong attempt ends a continuous session.
                this.state.prepared.continuous = false;
                return;
            }
            if (result.session) {
                keepHalf(result.session, credential.half, credential.new_pin.length);
            }
        } catch (error) {
            if (!(error instanceof ConnectionLostError)) {
                throw error;
            }
            this.state.refused = _t("No connection. Whether it was signed shows when it is back: close this dialog, look, and sign again where it was not.");
            return;
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
