// The shop floor of one terminal: choose a batch, work through its steps, keep up with the others.

import { Component, EventBus, onWillStart, onWillUnmount, status, useEffect, useExternalListener, useRef, useState, useSubEnv } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { ConfirmationDialog } from "@web/core/confirmation_dialog/confirmation_dialog";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useBus, useService } from "@web/core/utils/hooks";
import { session } from "@web/session";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { BatchCard } from "./batch_card";
import { formatTime, setServerTime } from "./clock";
import { CLOSED } from "./constants";
import { useCodes } from "./codes";
import { AskDialog, ReportDialog, TerminalDialog } from "./dialogs";
import { Drafts } from "./drafts";
import { callServer, isConnectionLost, isSessionExpired, Refusal } from "./floor_rpc";
import { useFloorBus } from "./live";
import { countForeign, Outbox } from "./outbox";
import { PersonDialog } from "./person_dialog";
import { StepPanel } from "./step_panel";
import { StepSide } from "./step_side";

const STORAGE = "mrp_mmr.floor.";
/** Milliseconds after which a lost connection is tried again. */
const LOOK_AGAIN = 5000;
/** Milliseconds that good news are shown. */
const GOOD_NEWS = 10000;

/** The shop-floor screen: batches of a work centre, the steps of one batch, and one step to work on. */
export class Floor extends Component {
    static template = "mrp_mmr.Floor";
    static components = { BatchCard, StepPanel, StepSide };
    static props = { ...standardActionServiceProps };
    static target = "fullscreen";
    // By both of them the way back to a batch has a name.
    static path = "mmr-floor";
    static displayName = _t("Shop Floor");

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.dialog = useService("dialog");
        this.asked = 0;
        this.formatTime = formatTime;
        this.userName = user.name;
        this.state = useState({
            workcenterId: Number(browser.localStorage.getItem(`${STORAGE}workcenter`)) || false,
            workcenters: [],
            list: null,
            data: null,
            isLost: false,
            message: null,
            // What is unfolded on a narrow screen: "steps", "side" or nothing.
            open: "",
            isExpired: false,
        });
        const owner = `${session.db}.${user.userId}`;
        this.outbox = new Outbox({
            storage: browser.localStorage,
            owner,
            send: (entry) => this.send(entry),
            onSaved: (entry) => this.onSaved(entry),
        });
        this.pending = useState(this.outbox.state);
        this.foreign = countForeign(browser.localStorage, session.db, owner);
        this.drafts = new Drafts({ storage: browser.localStorage, owner });
        useSubEnv({ floor: this.makeFloor() });
        this.codes = useCodes(this);
        this.root = useRef("root");
        useEffect(
            () => {
                this.root.el.querySelector(".o_mrp_mmr_floor_current")?.scrollIntoView({ block: "nearest" });
            },
            () => [this.state.data?.step?.id, this.state.open]
        );
        this.listen = useFloorBus((payload) => this.onChanged(payload));
        useBus(this.env.floor.bus, "changed", () => this.attempt(() => this.reload()));
        useExternalListener(window, "online", () => this.reconnect());
        onWillStart(() => this.start());
        onWillUnmount(() => {
            this.outbox.stop();
            browser.clearTimeout(this.goodNews);
            browser.clearTimeout(this.again);
        });
    }

    /** What the parts of the screen may ask of it. */
    makeFloor() {
        return {
            bus: new EventBus(),
            userName: user.name,
            drafts: this.drafts,
            scan: (code) => this.codes.scan(code),
            redirectKey: (key) => this.codes.redirectKey(key),
            ask: (title, body, confirmLabel) => this.ask(title, body, confirmLabel),
            record: (step, draft, extra) => this.record(step, draft, extra),
            note: (step, kind, text, about) => this.note(step, kind, text, about),
            acknowledge: (note) => this.acknowledge(note),
            start: (step, acknowledged) => this.startStep(step, acknowledged),
            sign: (model, id, action, params) => this.sign(model, id, action, params),
            report: (step) => this.report(step),
            openStep: (stepId) => this.open(this.state.data.batch.id, stepId),
            openOrder: () => this.openOrder(),
            clean: (equipmentId) => this.clean(equipmentId),
            changePerson: (note) => this.changePerson(note),
        };
    }

    get workcenter() {
        return this.state.workcenters.find((row) => row.id === this.state.workcenterId);
    }

    get bprId() {
        return this.state.data?.batch.id;
    }

    get unsaved() {
        return this.pending.entries.filter((entry) => entry.status !== "refused");
    }

    get refused() {
        return this.pending.entries.filter((entry) => entry.status === "refused");
    }

    get isLost() {
        return this.state.isLost || this.pending.isLost;
    }

    get isExpired() {
        return this.state.isExpired || this.pending.isExpired;
    }

    // === READING === //

    call(model, method, args, kwargs) {
        return callServer(this.orm, model, method, args, kwargs);
    }

    async start() {
        const bprId = this.props.resId || this.props.action.params?.bpr_id;
        this.state.workcenters = (await this.attempt(() => this.call("mrp.workcenter", "get_floor_workcenters"))) || [];
        if (this.state.workcenterId && !this.workcenter) {
            this.state.workcenterId = false;
        }
        const stepId = this.props.action.params?.step_id || this.getPlace(bprId);
        const isOpen = bprId && (await this.attempt(() => this.loadBatch(bprId, stepId)));
        if (!isOpen) {
            await this.attempt(() => this.loadList());
        }
        this.outbox.flush();
    }

    /** Ask the server; an answer that a later question overtook is not shown. */
    async read(method, args, show) {
        const number = ++this.asked;
        const answer = await this.call("mrp.bpr", method, [...args, this.state.workcenterId || null]);
        this.state.isLost = this.state.isExpired = false;
        if (number === this.asked) {
            setServerTime(answer.now);
            this.listen(answer.channels);
            show(answer);
        }
        return answer;
    }

    loadList() {
        this.target = null;
        return this.read("get_floor_batches", [], (list) => {
            Object.assign(this.state, { list, data: null, open: "" });
            this.props.updateActionState?.({ resId: false });
        });
    }

    /** Show a step of a batch, or the one that is next; whatever is read again until then is read for it. */
    loadBatch(bprId, stepId = null) {
        this.target = { bprId, stepId };
        return this.read("get_floor_batch", [bprId, stepId], (data) => {
            this.state.data = data;
            this.target.stepId = data.step?.id || null;
            browser.sessionStorage.setItem(`${STORAGE}place`, JSON.stringify(this.target));
            this.props.updateActionState?.({ resId: bprId });
        });
    }

    /** The step of a batch that this window showed last, for a page that is loaded again. */
    getPlace(bprId) {
        const place = JSON.parse(browser.sessionStorage.getItem(`${STORAGE}place`) || "{}");
        return place.bprId === bprId ? place.stepId : null;
    }

    reload() {
        return this.target ? this.loadBatch(this.target.bprId, this.target.stepId) : this.loadList();
    }

    /** Do something with the server; what it refuses is shown, and so is a lost connection. */
    async attempt(callback) {
        try {
            return await callback();
        } catch (error) {
            if (error instanceof Refusal) {
                this.say("danger", error.message);
            } else if (isConnectionLost(error)) {
                this.state.isLost = true;
                this.say("danger", _t("No connection. Nothing was changed: try again when you are connected."));
                this.lookAgain();
            } else if (isSessionExpired(error)) {
                this.state.isExpired = true;
            } else {
                throw error;
            }
            return false;
        }
    }

    /** The server may be back before the browser notices. */
    lookAgain() {
        browser.clearTimeout(this.again);
        this.again = browser.setTimeout(() => this.onChanged({}), LOOK_AGAIN);
    }

    /** Show an answer until it is read; good news go by themselves. */
    say(type, text) {
        browser.clearTimeout(this.goodNews);
        this.state.message = { type, text };
        if (["success", "info"].includes(type)) {
            this.goodNews = browser.setTimeout(() => (this.state.message = null), GOOD_NEWS);
        }
    }

    /** Somebody changed something: read it again, and say so where it happened at the step in hand. */
    async onChanged({ bpr_id: bprId }) {
        const step = this.state.data?.step;
        if (this.target && bprId && bprId !== this.target.bprId) {
            return;
        }
        try {
            await this.reload();
        } catch (error) {
            if (isConnectionLost(error)) {
                this.state.isLost = true;
                this.lookAgain();
            } else if (isSessionExpired(error)) {
                this.state.isExpired = true;
            } else if (status(this) !== "destroyed") {
                throw error;
            }
            return;
        }
        if (this.unsaved.length) {
            this.outbox.retryNow();
        }
        const now = this.state.data?.step;
        if (step && now && step.id === now.id && !this.isOwnChange && !this.isSigning) {
            const name = `${now.code} ${now.name}`;
            const signed = this.signatures(now);
            const known = Math.max(this.signatures(step).length, this.known?.id === now.id ? this.known.count : 0);
            if (signed.length > known) {
                this.say("info", _t("%(step)s was signed by %(name)s.", { step: name, name: signed.at(-1).name }));
            } else if (now.state === "not_done" && step.state !== "not_done") {
                this.say("info", _t("%s was closed as not done.", name));
            }
        }
    }

    signatures(step) {
        return step.points.filter((row) => row.signature).map((row) => row.signature);
    }

    /** The connection may be there again: send what waits, and read. */
    async reconnect() {
        await this.attempt(async () => {
            await this.outbox.retryNow();
            await this.reload();
            if (!this.pending.isLost) {
                this.say("success", _t("Connected again."));
            }
        });
    }

    // === MOVING === //

    /** Fold steps or side in or out, which lie over the step on a narrow screen. */
    unfold(name) {
        this.state.open = this.state.open === name ? "" : name;
    }

    open(bprId, stepId) {
        this.state.message = null;
        this.state.open = "";
        return this.attempt(() => this.loadBatch(bprId, stepId));
    }

    close() {
        this.state.message = null;
        return this.attempt(() => this.loadList());
    }

    openOrder() {
        return this.action.doAction({
            type: "ir.actions.act_window", res_model: "mrp.production", res_id: this.state.data.batch.order_id, views: [[false, "form"]],
            name: this.state.data.batch.order,
        });
    }

    /** What is open: typed and not recorded, at this step or in the list at any, or not saved yet; empty where nothing is. */
    get openWork() {
        const step = this.state.data?.step;
        const rows = this.unsaved.map((entry) => _t("%s is not saved yet.", entry.label));
        if (step && this.drafts.isOpen(step.id)) {
            rows.push(_t("What you entered at %s has not been recorded.", `${step.code} ${step.name}`));
        } else if (!step && this.drafts.keys.length) {
            rows.push(_t("What you entered at a step has not been recorded."));
        }
        return rows.join(" ");
    }

    leave() {
        const confirm = () => this.action.doAction("mrp_mmr.mrp_bpr_action", { clearBreadcrumbs: true });
        if (!this.openWork) {
            return confirm();
        }
        this.dialog.add(ConfirmationDialog, {
            title: _t("Leave the shop floor?"), body: _t("%s It is kept on this terminal until you return.", this.openWork), confirm,
            confirmLabel: _t("Leave"), cancelLabel: _t("Stay"), cancel: () => {},
        });
    }

    /** Another person takes over, at the same batch and step; or the same one, whose session has ended. */
    changePerson(note = "") {
        this.dialog.add(PersonDialog, {
            note,
            openWork: this.openWork,
            userName: user.name,
            login: this.isExpired ? user.login : "",
        });
    }

    chooseTerminal() {
        this.dialog.add(TerminalDialog, {
            workcenters: this.state.workcenters,
            workcenterId: this.state.workcenterId,
            terminal: this.state.list?.terminal || "",
            save: (workcenterId) => {
                browser.localStorage.setItem(`${STORAGE}workcenter`, workcenterId || "");
                this.state.workcenterId = workcenterId;
                return this.attempt(() => this.reload());
            },
        });
    }

    ask(title, body, confirmLabel) {
        return new Promise((resolve) => {
            this.dialog.add(AskDialog, { title, body, confirmLabel, confirm: resolve }, { onClose: () => resolve(false) });
        });
    }

    // === RECORDING === //

    send({ stepId, kind, vals, token, reason, corrects }) {
        return this.call("mrp.bpr.step", "action_record", [[stepId], kind, vals, token, reason || null, corrects || null]);
    }

    async record(step, draft, { reason, corrects } = {}) {
        this.isOwnChange = true;
        try {
            const answer = await this.outbox.add({
                bprId: this.bprId, stepId: step.id, stepName: `${step.code} ${step.name}`, kind: draft.kind, vals: draft.vals,
                label: draft.label, reason, corrects,
            });
            if (answer.status === "refused") {
                this.env.floor.bus.trigger("refused", { ...draft, error: answer.error });
                if (!corrects && !reason) {
                    this.say("danger", answer.error);
                }
            } else if (answer.status === "saved") {
                this.state.message = null;
                await this.attempt(() => this.reload());
                this.tell(answer.result, draft);
            }
            return answer;
        } finally {
            // Also where the answer was an error: others' changes are told again.
            this.isOwnChange = false;
        }
    }

    tell(result, draft) {
        if (result.to_sign) {
            this.say("warning", _t("Recorded: %s. It will count once it is signed: open it in the list.", draft.label));
        } else if (result.outcome === "fail" && !this.state.data.batch.deviations.length) {
            this.say("danger", _t("Out of limits: %s", draft.label));
        }
    }

    /** An entry that waited was stored. */
    async onSaved(entry) {
        if (entry.bprId === this.bprId && !this.isOwnChange) {
            await this.attempt(() => this.reload());
        }
    }

    retry() {
        return this.reconnect();
    }

    async resend(entry) {
        const reason = await this.ask(_t("Why is it recorded now?"), `${entry.stepName}: ${entry.label}`, _t("Record it"));
        if (reason) {
            await this.outbox.resend(entry.token, { reason });
        }
    }

    async note(step, kind, text, about) {
        const answer = await this.record(step, { kind, vals: { text, about_id: about || false }, label: text });
        if (answer.status === "saved" && kind === "handover") {
            this.say("success", _t("Handed over. The next person will see it first."));
        }
        return answer;
    }

    acknowledge(note) {
        const step = this.state.data.stages.flatMap((stage) => stage.steps).find((step) => step.id === note.step_id);
        return this.note(step, "comment", _t("Hand-over read."), note.id);
    }

    async startStep(step, acknowledged) {
        await this.attempt(async () => {
            const answer = await this.call("mrp.bpr.step", "action_start", [[step.id], acknowledged]);
            this.state.message = null;
            await this.reload();
            if (answer.blocked) {
                this.say("danger", answer.blocked);
            }
        });
    }

    /** Open the dialog of the cleaning that a batch waits for; its signature follows. */
    async clean(equipmentId) {
        const action = await this.attempt(() => this.call("maintenance.equipment", "action_mmr_clean_fully", [[equipmentId]]));
        return action && this.action.doAction({ views: [[false, "form"]], ...action }, { onClose: () => this.env.floor.bus.trigger("changed") });
    }

    report(step) {
        this.dialog.add(ReportDialog, {
            step,
            report: (title, text, severity) =>
                this.attempt(async () => {
                    await this.call("mrp.bpr.step", "action_report", [[step.id], title, text, severity]);
                    await this.reload();
                    return true;
                }),
        });
    }

    // === SIGNING === //

    /** Open the signature dialog; afterwards go on to what is next. */
    async sign(model, id, signing, { note = "", isForOther = false } = {}) {
        const action = await this.attempt(() => this.call(model, "action_open_signature", [[id], signing]));
        if (!action) {
            await this.attempt(() => this.reload());
            return;
        }
        this.isSigning = true;
        this.before = this.state.data;
        action.params = { ...action.params, note, other: isForOther, quiet: true };
        // Odoo closes the dialog after this: never make it wait for a screen that was left meanwhile.
        await this.action.doAction(action, { onClose: ({ noReload } = {}) => (noReload ? null : this.onSigned()) });
    }

    async onSigned() {
        const { batch, step } = this.before;
        await this.attempt(async () => {
            const data = await this.loadBatch(batch.id, step?.id);
            if (data.step) {
                this.known = { id: data.step.id, count: this.signatures(data.step).length };
            }
            const isClosed = CLOSED.includes(data.step?.state);
            if (isClosed && step.state !== data.step.state && data.batch.next_id) {
                this.state.message = null;
                await this.loadBatch(batch.id);
            }
        });
        this.isSigning = false;
        // The dialog had the focus.
        this.env.floor.bus.trigger("refocus");
    }
}

registry.category("actions").add("mrp_mmr.floor", Floor);
