// One step of a batch on the shop floor: what to do, what to enter, how it goes on.

import { Component, onWillUnmount, onWillUpdateProps, useEffect, useExternalListener, useRef, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { hasTouch } from "@web/core/browser/feature_detection";
import { _t } from "@web/core/l10n/translation";
import { useBus, useService } from "@web/core/utils/hooks";

import { localNumber } from "../numbers/numbers";
import { formatTime, Timer } from "./clock";
import { CLOSED, KIND_ICONS, RETESTED, VERIFIES } from "./constants";
import { EntryDialog, PictureDialog } from "./dialogs";
import { ENTRIES } from "./entries";
import { Recorded } from "./recorded";
import { timeLimit } from "./step_side";

/** Milliseconds that a precaution is shown before a key passes it: the end of what was typed before is no answer. */
const READING = 700;

/** One step, large: what is to be done, the one thing to enter, and the one button that goes on. */
export class StepPanel extends Component {
    static template = "mrp_mmr.FloorStepPanel";
    static components = { Recorded, Timer };
    static props = { data: Object, pending: Array, isLost: Boolean };

    setup() {
        this.dialog = useService("dialog");
        this.root = useRef("root");
        this.formatTime = formatTime;
        this.localNumber = localNumber;
        this.instruction = useRef("instruction");
        this.state = useState({
            task: null, draft: {}, acknowledged: false, busy: false, round: 0, isLong: false, isUnfolded: false,
        });
        onWillUpdateProps((next) => {
            const before = this.props.data.step;
            const after = next.data.step;
            if (before.id !== after.id || before.state !== after.state) {
                Object.assign(this.state, { task: null, draft: {}, acknowledged: false, isUnfolded: false });
                this.state.round++;
                if (CLOSED.includes(after.state)) {
                    this.floor.drafts.clearStep(after.id);
                }
            }
        });
        useBus(this.env.floor.bus, "refocus", () => this.bringFocus());
        useBus(this.env.floor.bus, "go", () => this.goOn());
        useExternalListener(window, "resize", () => this.measure());
        onWillUnmount(() => browser.clearTimeout(this.focusing));
        useEffect(
            () => this.bringFocus(),
            () => [this.step.id, this.step.state, this.task?.name, this.state.round, this.state.acknowledged]
        );
        useEffect(
            () => this.measure(),
            () => [this.step.id, this.task?.name]
        );
        useEffect(
            () => {
                this.shownAt = Date.now();
            },
            () => [this.step.id, this.hasPrecaution]
        );
    }

    get step() {
        return this.props.data.step;
    }

    get batch() {
        return this.props.data.batch;
    }

    get floor() {
        return this.env.floor;
    }

    get kindIcon() {
        return KIND_ICONS[this.step.kind];
    }

    /** The keyboard goes where the work goes on; a tablet does not bring up its own keyboard for it. */
    takeFocus() {
        const field = this.root.el?.querySelector("[data-floor-focus]:not(:disabled)");
        const button = this.root.el?.querySelector(".o_mrp_mmr_floor_main:not(:disabled)");
        const target = field && (field.dataset.floorFocus !== "text" || !hasTouch()) ? field : button;
        if (target && !document.activeElement?.closest(".modal, .o_mrp_mmr_floor_number")) {
            target.focus({ preventScroll: true });
        }
        return Boolean(target) && document.activeElement === target;
    }

    /** Take the focus as soon as it is free: a dialog that closes holds it for a while, a button that works as well. */
    bringFocus(tries = 20) {
        browser.clearTimeout(this.focusing);
        if (!this.takeFocus() && tries) {
            this.focusing = browser.setTimeout(() => {
                const active = document.activeElement;
                // Whoever went on elsewhere in the meantime stays there.
                if (!active || active === document.body || active.closest(".modal")) {
                    this.bringFocus(tries - 1);
                }
            }, 50);
        }
    }

    // === WHAT IS SHOWN === //

    /** Whether a precaution is to be acknowledged before the step starts. */
    get hasPrecaution() {
        const { state, precaution, waiting, obstacle } = this.step;
        return Boolean(state === "open" && precaution && !waiting.length && !obstacle);
    }

    /** Whether the instruction, which was read at the start, leaves its place to what is entered. */
    get isFolded() {
        return Boolean(this.task) && !this.state.isUnfolded;
    }

    /** Whether more of the instruction is there than is shown. */
    measure() {
        const element = this.instruction.el;
        if (element && this.isFolded) {
            this.state.isLong = element.scrollHeight > element.clientHeight + 1;
        }
    }

    /** Times that run out, for screens on which the side is folded away. */
    get times() {
        const { step, batch } = this;
        const own = step.time_limit && step.is_timed ? [{ name: _t("This step"), until: timeLimit(step) }] : [];
        return [...own, ...batch.limits.filter((row) => row.kind !== "step")];
    }

    // === WHAT IS TO BE RECORDED === //

    /** What the step asks for, one thing after the other. */
    get tasks() {
        const step = this.step;
        if (step.state !== "started") {
            return [];
        }
        const tasks = [];
        // What waits for the connection is not entered again.
        const isWaiting = (kind) => this.waiting.some((entry) => entry.kind === kind);
        const add = (name, label, isDone) => tasks.push({ name, label, isDone: isDone || (name !== "check" && isWaiting(name)) });
        const isRecorded = (kind) => step.entries.some((entry) => entry.kind === kind && entry.is_current);
        if (step.equipment) {
            add("equipment", _t("Equipment"), step.equipment.identified.length > 0);
        }
        if (step.checklist.length) {
            add("check", _t("Checklist"), step.checklist.every((row) => row.outcome));
        }
        if (step.sample) {
            add("sample", _t("Sample"), Number(step.sample.taken) >= (step.sample.count || 1));
        }
        const result = step.result_kind;
        if (result === "weight") {
            add(result, _t("Weight"), isRecorded(result) && step.weighing.is_within);
        } else if (result === "outcome" && step.kind === "clearance" && step.checklist.length) {
            // The checklist is the examination.
        } else if (result === "material") {
            add(result, _t("Materials"), !step.missing.length);
        } else if (result && !tasks.some((task) => task.name === result)) {
            add(result, this.resultLabel, isRecorded(result) && !this.hasFailed);
        }
        return tasks;
    }

    get resultLabel() {
        return {
            value: _t("Value"), outcome: _t("Result"), yield: _t("Yield"), labels: _t("Labels"), photo: _t("Photo"),
            sample: _t("Sample"), equipment: _t("Equipment"),
        }[this.step.result_kind];
    }

    /** Whether the last result is out of limits: what comes after it is a retest that Quality Control authorised. */
    get hasFailed() {
        const { result_kind, entries } = this.step;
        const results = entries.filter((entry) => entry.kind === result_kind);
        return RETESTED.includes(result_kind) && results.at(-1)?.outcome === "fail";
    }

    get task() {
        const tasks = this.tasks;
        if (this.state.task === "sign") {
            return null;
        }
        const chosen = tasks.find((task) => task.name === this.state.task);
        const next = chosen || tasks.find((task) => !task.isDone) || null;
        return next && next.name === this.step.result_kind && this.step.needs_retest ? null : next;
    }

    get Entry() {
        return this.task && ENTRIES[this.task.name];
    }

    get entryProps() {
        return {
            step: this.step,
            draftKey: this.draftKey,
            onChange: (draft) => (this.state.draft = draft),
            onSubmit: () => this.onMain(),
            onRecord: (kind, vals, label) => this.recordNow({ kind, vals, label }),
        };
    }

    get draftKey() {
        return `${this.step.id}/${this.task.name}`;
    }

    get entryKey() {
        return `${this.step.id}/${this.task.name}/${this.state.round}`;
    }

    chooseTask(name) {
        Object.assign(this.state, { task: name, draft: {} });
        this.state.round++;
    }

    // === WHO SIGNS === //

    get nextPoint() {
        return this.step.points.find((row) => row.point === this.step.next_point);
    }

    /** Whether somebody else than the person of this session has to sign, because that one did what is verified. */
    get isForOther() {
        const verified = VERIFIES[this.step.next_point];
        const row = this.step.points.find((point) => point.point === verified);
        return Boolean(row?.signature && row.signature.name === this.floor.userName);
    }

    /** Deviations of this step, and those of others that keep it from going on. */
    get deviations() {
        return this.batch.deviations.filter((row) => row.step_id === this.step.id || (row.is_blocking && this.step.obstacle));
    }

    get blocking() {
        return this.deviations.filter((row) => row.is_blocking);
    }

    /** Why the person of this session cannot start or record here; empty where that is possible. */
    get workObstacle() {
        const { step } = this;
        if (step.obstacle) {
            return this.blocking.length
                ? _t("Quality Control must decide first: %s", this.blocking.map((row) => row.name).join(", "))
                : step.obstacle.message;
        }
        return step.can_perform ? "" : _t("Done by: %s", step.performer_label);
    }

    /** The button by which another person takes over, where the one of this session does not do this step. */
    get takeOver() {
        return {
            icon: "fa-user", label: _t("Change the person"), note: this.workObstacle, run: () => this.floor.changePerson(this.workObstacle),
        };
    }

    /** Whether only another person can go on here. */
    get isForOtherRole() {
        return !this.step.obstacle && !this.step.can_perform;
    }

    /** Entries of this step that the server did not confirm yet. */
    get waiting() {
        return this.props.pending.filter((entry) => entry.stepId === this.step.id && entry.status !== "refused");
    }

    get isWaitingToSave() {
        return this.waiting.length > 0;
    }

    /** Why nobody can sign now, as a sentence; empty where somebody can. */
    get signObstacle() {
        if (this.isWaitingToSave) {
            return _t("An entry of this step is not saved yet.");
        }
        if (this.blocking.length) {
            return _t("Quality Control must decide first: %s", this.blocking.map((row) => row.name).join(", "));
        }
        if (this.step.obstacle) {
            return this.step.obstacle.message;
        }
        return this.step.missing.length ? this.step.missing[0] : "";
    }

    /** The one button that goes on, and why it does not where it does not. */
    get main() {
        const { step, batch } = this;
        const isHere = batch.next_id === step.id;
        if (batch.state === "issue") {
            return {
                icon: "fa-pencil-square-o", label: _t("Issue the record"), run: () => this.floor.sign("mrp.bpr", batch.id, "issue", {
                    note: _t("The Production Responsible checks the copy of the master and signs here."), isForOther: true }),
                note: _t("Production Responsible signs here"),
            };
        }
        if (CLOSED.includes(step.state)) {
            return batch.next_id
                ? { icon: "fa-arrow-right", label: _t("Go to the next step"), run: () => this.floor.openStep(batch.next_id) }
                : { icon: "fa-external-link", label: _t("Complete the order"), run: () => this.floor.openOrder() };
        }
        if (step.state === "open") {
            if (step.waiting.length) {
                return {
                    icon: "fa-arrow-right", label: _t("Go to the next step"), note: _t("This step is waiting for %s", step.waiting[0]),
                    isDisabled: isHere || !batch.next_id, run: () => this.floor.openStep(batch.next_id) };
            }
            const obstacle = this.workObstacle;
            if (this.isForOtherRole) {
                return this.takeOver;
            }
            return {
                icon: "fa-play", label: _t("Start"), run: () => this.start(),
                isDisabled: Boolean(obstacle || step.unready.length || (step.precaution && !this.state.acknowledged)),
                note: obstacle || (step.unready.length ? _t("The equipment is not ready.") : "") || (step.precaution && !this.state.acknowledged ? _t("Acknowledge the precaution first") : ""),
            };
        }
        if (this.task && this.isForOtherRole) {
            return this.takeOver;
        }
        if (this.task) {
            const { label, isReady, hint } = this.state.draft;
            const isList = this.task.name === "check";
            const obstacle = this.workObstacle;
            return {
                icon: "fa-check", label: isList ? _t("Answer each row") : isReady ? _t("Record %s", label) : _t("Record it"),
                run: () => this.recordDraft(this.state.draft), isDisabled: isList || !isReady || Boolean(obstacle), note: obstacle || hint || "",
            };
        }
        return this.signing;
    }

    /** The signature that the step waits for. */
    get signing() {
        const point = this.nextPoint;
        if (!point) {
            return null;
        }
        const obstacle = this.signObstacle;
        const note = point.point in VERIFIES
            ? _t("%s signs here, with their own user name and password", point.role_label)
            : _t("%s signs here", point.role_label);
        const labels = {
            performed: _t("Sign: performed"), verified: _t("Sign: verified"), added: _t("Sign: added"),
            addition_verified: _t("Sign: addition verified"), hold: _t("Sign: approved, continue"),
        };
        return {
            icon: "fa-pencil", label: labels[point.point], isDisabled: Boolean(obstacle), note: obstacle || note, isSigning: true,
            run: () => this.sign(point.point === "hold" ? "hold_approve" : point.point, note),
        };
    }

    // === ACTIONS === //

    async act(callback) {
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            return await callback();
        } finally {
            this.state.busy = false;
        }
    }

    onMain() {
        const main = this.main;
        if (main && !main.isDisabled) {
            return this.act(() => main.run());
        }
    }

    /** Enter, and the code of the step scanned again: what was shown is acknowledged, then it goes on. */
    goOn() {
        if (this.hasPrecaution && !this.state.acknowledged) {
            return this.acknowledge();
        }
        return this.onMain();
    }

    acknowledge() {
        if (Date.now() - this.shownAt >= READING) {
            this.state.acknowledged = true;
        }
    }

    onPrecautionKey(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            if (!ev.repeat) {
                this.goOn();
            }
        }
    }

    start() {
        return this.floor.start(this.step, this.state.acknowledged);
    }

    sign(action, note) {
        return this.floor.sign("mrp.bpr.step", this.step.id, action, {
            note, isForOther: this.isForOther || action.startsWith("hold") || action === "authorise_retest",
        });
    }

    decide(deviation) {
        return this.act(() =>
            this.floor.sign("mrp.deviation", deviation.id, "decide", { note: _t("Quality Control signs here."), isForOther: true }));
    }

    recordNow(draft) {
        return this.act(() => this.recordDraft(draft));
    }

    async recordDraft(draft) {
        const key = this.task ? this.draftKey : null;
        const { task } = this.state;
        // What is on its way stays on the screen, as it was typed, until there is an answer (U-01).
        this.state.task = this.task ? this.task.name : task;
        const answer = await this.floor.record(this.step, draft);
        if (answer.status === "refused") {
            this.state.task = task;
        } else {
            if (key) {
                this.floor.drafts.set(key, null);
            }
            Object.assign(this.state, { draft: {}, task: null });
            this.state.round++;
        }
    }

    showPicture() {
        this.dialog.add(PictureDialog, { title: this.step.name, url: this.step.picture.url });
    }

    recordLate() {
        const kind = this.step.result_kind || (this.step.checklist.length ? "check" : "photo");
        this.dialog.add(EntryDialog, {
            floor: this.floor, title: _t("Late Entry"), step: this.step, kind,
            record: (draft, reason) => this.floor.record(this.step, draft, { reason }),
        });
    }
}
