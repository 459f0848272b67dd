// The number pad, for fingers in gloves and for bar code readers.

import { Component, useEffect, useRef } from "@odoo/owl";
import { localization } from "@web/core/l10n/localization";

import { understand } from "../numbers/numbers";

/** Digits of the shortest code that is told from a number by its speed, and the milliseconds between them. */
const CODE_LENGTH = 8;
const CODE_PACE = 35;

/** What a key of the pad makes of a number. */
export function pressKey(value, key) {
    switch (key) {
        case "back":
            return value.slice(0, -1);
        case "clear":
            return "";
        case "sign":
            return value.startsWith("-") ? value.slice(1) : `-${value}`;
        case "point":
            return /[.,]/.test(value) ? value : (value || "0") + localization.decimalPoint;
        default:
            return value + key;
    }
}

/** Large keys for gloves; keyboards type into the field itself. */
export class NumberPad extends Component {
    static template = "mrp_mmr.FloorNumberPad";
    static props = { onKey: Function, signed: { type: Boolean, optional: true } };

    get point() {
        return localization.decimalPoint;
    }
}

/**
 * A field for a number as people read it from an instrument. What is understood of it is shown below, with its unit
 * (NUM-010). It brings up no keyboard of the tablet, as the pad is there. What no number has in it comes from a scanner
 * and is handed on.
 */
export class NumberField extends Component {
    static template = "mrp_mmr.FloorNumberField";
    static props = {
        id: String,
        label: String,
        value: String,
        unit: { type: [String, Boolean, { value: null }], optional: true },
        // The unit of what was understood, where it is chosen beside the field.
        chosenUnit: { type: String, optional: true },
        isActive: { type: Boolean, optional: true },
        focusKey: { type: Number, optional: true },
        isLarge: { type: Boolean, optional: true },
        onInput: Function,
        onFocus: { type: Function, optional: true },
        onSubmit: Function,
    };
    static defaultProps = { onFocus: () => {} };

    setup() {
        this.input = useRef("input");
        this.times = [];
        useEffect(
            (isActive) => {
                if (isActive) {
                    this.input.el.focus({ preventScroll: true });
                }
            },
            () => [this.props.isActive, this.props.focusKey]
        );
    }

    get understood() {
        return understand(this.props.value, { unit: this.props.unit || this.props.chosenUnit || "" });
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            const scanned = this.takeScanned();
            if (scanned) {
                this.env.floor.scan(scanned);
            } else {
                this.props.onSubmit();
            }
        } else if (/^\d$/.test(ev.key)) {
            this.times.push(ev.timeStamp);
        } else if (ev.key.length === 1 && !ev.ctrlKey && !ev.metaKey && !ev.altKey && !/[.,+\-\u2212]/.test(ev.key)) {
            ev.preventDefault();
            this.env.floor.redirectKey(ev.key);
        } else {
            this.times = [];
        }
    }

    /** A long number that came faster than fingers type is a code: take it back from the field. */
    takeScanned() {
        const { times, props } = this;
        this.times = [];
        if (times.length < CODE_LENGTH || (times.at(-1) - times[0]) / (times.length - 1) > CODE_PACE) {
            return "";
        }
        const code = props.value.slice(-times.length);
        props.onInput(props.value.slice(0, -times.length));
        return code;
    }
}
