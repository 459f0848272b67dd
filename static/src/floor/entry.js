// What all entries at a step of a batch share: what was typed, what is understood of it, and what is kept until it is recorded.

import { Component, onMounted, toRaw, useState } from "@odoo/owl";
import { useBus } from "@web/core/utils/hooks";

import { localNumber, understand } from "../numbers/numbers";
import { formatDay, formatTime } from "./clock";
import { NumberField, NumberPad, pressKey } from "./number_pad";

/**
 * What is entered at a step. An entry keeps what a person typed and tells its parent what was understood of it and could
 * be recorded, numbers in their canonical form (NUM-010); the parent has the button. ``correcting`` is the entry that is
 * corrected, whose values are never filled in.
 */
export class Entry extends Component {
    static props = {
        step: Object,
        correcting: { type: Object, optional: true },
        // Under which what is typed is kept until it is recorded; a correction in its dialog is not.
        draftKey: { type: String, optional: true },
        onChange: Function,
        onSubmit: Function,
        onRecord: Function,
    };
    static components = { NumberField, NumberPad };
    /** Names of the numbers, the first of which has the focus. */
    numbers = [];
    /** Those of them that are counts: whole numbers, which have no decimals. */
    counts = [];
    texts = {};

    get first() {
        return this.numbers[0];
    }

    setup() {
        this.localNumber = localNumber;
        this.formatDay = formatDay;
        this.formatTime = formatTime;
        const blank = { numbers: Object.fromEntries(this.numbers.map((name) => [name, ""])), ...this.texts };
        this.blank = JSON.stringify(blank);
        const kept = this.props.draftKey ? this.env.floor.drafts.get(this.props.draftKey) : null;
        this.state = useState({ active: this.first, focusKey: 0, ...blank, ...kept });
        // Also before anything was typed: the button says what is missing.
        onMounted(() => this.props.onChange(this.draft));
        useBus(this.env.floor.bus, "scanned", ({ detail }) => this.onScanned(detail));
    }

    get step() {
        return this.props.step;
    }

    /** @returns {{ kind: string, vals: Object, label: string, isReady: boolean }} */
    get draft() {
        return { kind: "", vals: {}, label: "", isReady: false };
    }

    onScanned() {}

    set(values) {
        Object.assign(this.state, values);
        this.changed();
    }

    changed() {
        this.keep();
        this.props.onChange(this.draft);
    }

    /** What is kept of an entry until it is recorded: all that was typed or chosen. */
    get kept() {
        return Object.fromEntries(["numbers", ...Object.keys(this.texts)].map((name) => [name, toRaw(this.state[name])]));
    }

    keep() {
        if (this.props.draftKey) {
            const isBlank = JSON.stringify(this.kept) === this.blank;
            this.env.floor.drafts.set(this.props.draftKey, isBlank ? null : this.kept);
        }
    }

    /** What is understood of a number that was typed. */
    understood(name, unit = "") {
        return understand(this.state.numbers[name] || "", { unit, isWhole: this.counts.includes(name) });
    }

    /** Whether the pad writes into a count, which has no decimal sign. */
    get isCounting() {
        return this.counts.includes(this.state.active);
    }

    /** The numbers by name in their canonical form; what is blank or refused is an empty text. */
    canonical(names = this.numbers) {
        return Object.fromEntries(names.map((name) => [name, this.understood(name).canonical ?? ""]));
    }

    /** Why one of these numbers is refused; empty where all are understood. */
    refused(names = this.numbers) {
        const refused = names.map((name) => this.understood(name)).find(({ isValid }) => !isValid);
        return refused ? refused.message : "";
    }

    setNumber(name, value) {
        this.state.numbers[name] = value;
        this.changed();
    }

    onKey(key, first = this.numbers[0]) {
        this.state.active ||= first;
        const name = this.state.active;
        this.setNumber(name, pressKey(this.state.numbers[name], key));
    }

    focus(name) {
        this.state.active = name;
        this.state.focusKey++;
    }

    /** Enter in a text goes on; it does not press the button of the form. */
    onTextKey(ev, callback) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            callback();
        }
    }

    /** Enter goes on to the next number, and from the last one to the button. */
    onEnter(name) {
        const next = this.numbers[this.numbers.indexOf(name) + 1];
        if (next && !this.draft.isReady) {
            this.focus(next);
        } else {
            this.props.onSubmit();
        }
    }
}
