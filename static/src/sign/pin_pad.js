// A PIN, typed with the large keys of the number pad or a keyboard.

import { Component, useEffect, useRef } from "@odoo/owl";

import { NumberPad, pressKey } from "../floor/number_pad";

/** Digits that everybody would try first: all the same, or rising or falling one by one; the server judges them alike. */
export function isEasy(pin) {
    const steps = new Set(Array.from(pin.slice(1), (digit, index) => (10 + Number(digit) - Number(pin[index])) % 10));
    return steps.size < 2 && [0, 1, 9].includes([...steps][0] ?? 0);
}

/** The field of a PIN with its pad; it brings up no keyboard of the tablet, and nobody reads what is typed. */
export class PinPad extends Component {
    static template = "mrp_mmr.PinPad";
    static components = { NumberPad };
    static props = { label: String, name: String, value: String, most: Number, onInput: Function, focusKey: { type: String, optional: true } };

    setup() {
        this.input = useRef("input");
        useEffect(
            () => this.input.el.focus({ preventScroll: true }),
            () => [this.props.name, this.props.focusKey]
        );
    }

    set(value) {
        const digits = value.replace(/\D/g, "").slice(0, this.props.most);
        // What is no digit leaves the field, also where the value stays the same.
        this.input.el.value = digits;
        this.props.onInput(digits);
    }

    onKey(key) {
        this.set(pressKey(this.props.value, key));
    }
}
