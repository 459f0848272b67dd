// The number pad, for fingers in gloves and for bar code readers.

import { Component, useEffect, useRef } from "@odoo/owl";
import { localization } from "@web/core/l10n/localization";

import { understand } from "../numbers/numbers";

/** Digits of the shortest code that is told from a number by its speed, and the milliseconds between its characters. */
const CODE_LENGTH = 8;
const CODE_PACE = 35;
/** What can stand in a number: digits, signs, the separators of all languages. */
const OF_NUMBERS = /^[\d.,+\-\u2212' \u00a0\u202f]$/;

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
    static props = {
        onKey: Function,
        signed: { type: Boolean, optional: true },
        isWhole: { type: Boolean, optional: true },
        digits: { type: Boolean, optional: true },
    };

    /** The keys as they lie, row by row; a PIN has digits alone. */
    get keys() {
        return this.props.digits
            ? ["7", "8", "9", "4", "5", "6", "1", "2", "3", "clear", "0", "back"]
            : ["7", "8", "9", "back", "4", "5", "6", "clear", "1", "2", "3", "sign", "0", "point"];
    }

    get point() {
        return localization.decimalPoint;
    }
}

/**
 * A field for a number as people read it from an instrument. What is understood of it is shown below, with its unit
 * (NUM-010). It brings up no keyboard of the tablet, as the pad is there. What comes as fast as from a scanner, and has
 * in it what no number has, is handed on with all that came before it; what fingers type stays, and is refused in words.
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
        isWhole: { type: Boolean, optional: true },
        onInput: Function,
        onFocus: { type: Function, optional: true },
        onSubmit: Function,
    };
    static defaultProps = { onFocus: () => {} };

    setup() {
        this.root = useRef("root");
        this.input = useRef("input");
        /** The characters that came at the pace of a scanner, the last ones last. */
        this.run = [];
        useEffect(
            (isActive) => {
                if (isActive) {
                    this.input.el.focus({ preventScroll: true });
                    this.root.el.scrollIntoView({ block: "nearest" });
                }
            },
            () => [this.props.isActive, this.props.focusKey]
        );
    }

    get understood() {
        const { value, unit, chosenUnit, isWhole } = this.props;
        return understand(value, { unit: unit || chosenUnit || "", isWhole });
    }

    onKeydown(ev) {
        if (ev.key === "Enter") {
            ev.preventDefault();
            ev.stopPropagation();
            const scanned = this.hasCodes ? this.takeScanned() : "";
            if (scanned) {
                this.env.floor.scan(scanned);
            } else {
                this.props.onSubmit();
            }
        } else if (ev.key.length > 1 || ev.ctrlKey || ev.metaKey || ev.altKey) {
            if (ev.key !== "Shift") {
                this.run = [];
            }
        } else if (this.hasCodes) {
            this.onCharacter(ev);
        }
    }

    /** Whether there is a field for codes to hand them on to; a dialog has none. */
    get hasCodes() {
        return Boolean(this.env.floor.redirectKey);
    }

    /** Hands the characters of a code on to the field for codes, from the second of them at the latest. */
    onCharacter(ev) {
        const last = this.run.at(-1);
        if (last && ev.timeStamp - last.time > CODE_PACE) {
            this.run = [];
        }
        this.run.push({ key: ev.key, time: ev.timeStamp });
        const isCode = this.run.some(({ key }) => !OF_NUMBERS.test(key));
        if (isCode && (this.run.length > 1 || !this.input.el.value)) {
            ev.preventDefault();
            const keys = this.run.map(({ key }) => key);
            this.run = [];
            this.takeBack(keys.length - 1);
            this.env.floor.redirectKey(keys.join(""));
        }
    }

    /** Takes the last characters back; a scanner is faster than the next rendering, so that the field itself is asked. */
    takeBack(count) {
        const input = this.input.el;
        if (count) {
            input.value = input.value.slice(0, -count);
            this.props.onInput(input.value);
        }
    }

    /** A long number that came faster than fingers type is a code: take it back from the field. */
    takeScanned() {
        const code = this.run.map(({ key }) => key).join("");
        this.run = [];
        if (code.length < CODE_LENGTH || !/^\d+$/.test(code)) {
            return "";
        }
        this.takeBack(code.length);
        return code;
    }
}
