// Who works at this terminal: another person takes over, or the same one logs in again, at the same place.

import { Component, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { Dialog } from "@web/core/dialog/dialog";
import { _t } from "@web/core/l10n/translation";
import { rpc, RPCError } from "@web/core/network/rpc";
import { useAutofocus } from "@web/core/utils/hooks";

import { forgetHalves } from "../sign/pin_halves";

/**
 * Asks for user name and password and begins a session of that person. What happens from then on, happens in that person's
 * name; batch and step stay on the screen, and what others typed stays with them. Signatures ask for both all the same.
 */
export class PersonDialog extends Component {
    static template = "mrp_mmr.FloorPersonDialog";
    static components = { Dialog };
    static props = {
        note: String,
        openWork: String,
        userName: String,
        // Of a session that has ended.
        login: String,
        close: Function,
    };

    setup() {
        this.state = useState({ login: this.props.login, password: "", busy: false, refused: "" });
        useAutofocus({ refName: this.props.login ? "password" : "login", mobile: true });
    }

    get title() {
        return this.props.login ? _t("Your Session Has Ended") : _t("Who Is Working Here Now?");
    }

    get canLogIn() {
        return Boolean(!this.state.busy && this.state.login.trim() && this.state.password);
    }

    /** Enter, and a scanned badge, go on to the password. */
    onLoginKey(ev) {
        if (ev.key === "Enter" && !this.state.password) {
            ev.preventDefault();
            ev.target.form.querySelector("[name=password]").focus();
        }
    }

    async onLogIn() {
        if (!this.canLogIn) {
            return;
        }
        const { login, password } = this.state;
        Object.assign(this.state, { busy: true, password: "", refused: "" });
        try {
            const answer = await rpc("/mrp_mmr/floor/person", { login: login.trim(), password }, { silent: true });
            // Whoever signed here with a PIN does so no more.
            forgetHalves();
            if (answer.uid) {
                // The page of the new session: nothing of the one before stays in it.
                browser.location.reload();
            } else {
                this.logInElsewhere(answer.url);
            }
        } catch (error) {
            this.state.busy = false;
            this.state.refused = this.explain(error);
        }
    }

    /** Why nobody was logged in; what Odoo says of too many attempts stays. */
    explain(error) {
        if (!(error instanceof RPCError)) {
            return _t("No connection. Try again when it is back.");
        }
        const { message } = error.data;
        return message === "Access Denied" ? _t("Wrong user name or password.") : message;
    }

    /** Ways to log in that need a page of their own, such as a second factor; they come back to the same place. */
    logInElsewhere(url = "/web/login") {
        const query = new URLSearchParams({ login: this.state.login.trim(), redirect: browser.location.pathname });
        browser.location.href = `${url}?${query}`;
    }
}
