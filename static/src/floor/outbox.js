// Entries that wait in the browser while the connection is lost, each sent once.

import { reactive } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { _t } from "@web/core/l10n/translation";

import { isConnectionLost, isSessionExpired, Refusal } from "./floor_rpc";

const FIRST_WAIT = 2000;
const LONGEST_WAIT = 30000;

/** A random name for one entry, by which the server knows it again. Terminals without HTTPS have no randomUUID. */
export function makeToken() {
    if (window.crypto.randomUUID) {
        return window.crypto.randomUUID();
    }
    return Array.from(window.crypto.getRandomValues(new Uint8Array(16)), (byte) =>
        byte.toString(16).padStart(2, "0")
    ).join("");
}

/**
 * What people entered and the server did not confirm yet. Each entry stays in the storage of the browser, under the
 * person who made it, until the server has stored it (then it goes) or refused it (then a person decides).
 * It is sent again as often as needed: the server stores a token once.
 */
export class Outbox {
    /**
     * @param {Object} params
     * @param {Storage} params.storage
     * @param {string} params.owner database and user: nobody sends what another person entered
     * @param {(entry: Object) => Promise} params.send
     * @param {(entry: Object, result: Object) => void} [params.onSaved] called for what was sent later
     */
    constructor({ storage, owner, send, onSaved = () => {} }) {
        Object.assign(this, { storage, send, onSaved });
        this.prefix = `mrp_mmr.floor.outbox.${owner}.`;
        this.state = reactive({ entries: [], isLost: false, isExpired: false, problem: "" });
        this.queue = Promise.resolve();
        this.wait = FIRST_WAIT;
        this.load();
    }

    load() {
        const entries = [];
        for (let index = 0; index < this.storage.length; index++) {
            const key = this.storage.key(index);
            if (key?.startsWith(this.prefix)) {
                try {
                    const entry = JSON.parse(this.storage.getItem(key));
                    entries.push({ ...entry, status: entry.error ? "refused" : "waiting" });
                } catch {
                    // Not ours: leave it where it is.
                }
            }
        }
        entries.sort((a, b) => a.number - b.number);
        this.number = entries.length ? entries.at(-1).number : 0;
        this.state.entries = entries;
    }

    /** Keep an entry and send it. Resolves with its status, and with the result or the refusal. */
    async add(values) {
        const entry = { ...values, token: makeToken(), number: ++this.number, status: "waiting", error: "" };
        this.store(entry);
        this.state.entries.push(entry);
        this.answers ??= new Map();
        this.answers.set(entry.token, null);
        await this.flush();
        const answer = this.answers.get(entry.token);
        this.answers.delete(entry.token);
        if (answer?.status === "refused") {
            // Whoever typed it is still there and reads why.
            this.discard(entry.token);
        }
        return answer || { status: "waiting" };
    }

    /** Send what waits, in the order in which it was entered. */
    flush() {
        this.queue = this.queue.then(() => this.sendWaiting());
        return this.queue;
    }

    async sendWaiting() {
        let entry;
        while ((entry = this.state.entries.find((entry) => entry.status === "waiting"))) {
            entry.status = "sending";
            try {
                const result = await this.send(entry);
                this.finish(entry, { status: "saved", result });
                this.state.isLost = this.state.isExpired = false;
                this.state.problem = "";
                this.wait = FIRST_WAIT;
            } catch (error) {
                if (error instanceof Refusal) {
                    entry.status = "refused";
                    entry.error = error.message;
                    this.store(entry);
                    this.answers?.has(entry.token) &&
                        this.answers.set(entry.token, { status: "refused", error: error.message });
                    continue;
                }
                entry.status = "waiting";
                this.state.isLost = isConnectionLost(error);
                this.state.isExpired = isSessionExpired(error);
                this.state.problem = this.state.isLost || this.state.isExpired ? "" : error.data?.message || error.message;
                this.retryLater();
                return;
            }
        }
    }

    finish(entry, answer) {
        this.discard(entry.token);
        if (this.answers?.has(entry.token)) {
            this.answers.set(entry.token, answer);
        }
        this.onSaved(entry, answer.result);
    }

    retryLater() {
        browser.clearTimeout(this.timeout);
        this.timeout = browser.setTimeout(() => this.flush(), this.wait);
        this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    }

    retryNow() {
        this.wait = FIRST_WAIT;
        browser.clearTimeout(this.timeout);
        return this.flush();
    }

    /** Send a refused entry again, with what it lacked. */
    resend(token, changes = {}) {
        const entry = this.state.entries.find((entry) => entry.token === token);
        Object.assign(entry, changes, { status: "waiting", error: "" });
        this.store(entry);
        return this.flush();
    }

    discard(token) {
        this.state.entries = this.state.entries.filter((entry) => entry.token !== token);
        this.storage.removeItem(this.prefix + token);
    }

    store({ status, ...entry }) {
        try {
            this.storage.setItem(this.prefix + entry.token, JSON.stringify(entry));
        } catch {
            this.state.problem = _t("This browser has no storage space left: do not close this screen before the entry is saved.");
        }
    }

    stop() {
        browser.clearTimeout(this.timeout);
    }
}

/** How many entries of other persons wait in this browser for them to log in again. */
export function countForeign(storage, database, owner) {
    const prefix = `mrp_mmr.floor.outbox.${database}.`;
    let count = 0;
    for (let index = 0; index < storage.length; index++) {
        const key = storage.key(index) || "";
        count += key.startsWith(prefix) && !key.startsWith(`mrp_mmr.floor.outbox.${owner}.`) ? 1 : 0;
    }
    return count;
}
