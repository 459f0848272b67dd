/** A field for exact numbers: shows at once what was understood, with its unit (NUM-010). */
import { Component, useEffect, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useInputField } from "@web/views/fields/input_field_hook";
import { useNumpadDecimal } from "@web/views/fields/numpad_decimal_hook";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { editNumber, localNumber, showNumber, understand } from "./numbers";

/**
 * A field whose value is the canonical text of an exact number. What was understood is shown while typing, with its
 * unit; what is refused stays in the field with the reason, and the record cannot be saved (NUM-010).
 */
export class NumberField extends Component {
    static template = "mrp_mmr.NumberField";
    static props = {
        ...standardFieldProps,
        placeholder: { type: String, optional: true },
        unit: { type: String, optional: true },
        unitField: { type: String, optional: true },
        hasBounds: { type: Boolean, optional: true },
    };

    setup() {
        this.state = useState({ text: null });
        this.inputRef = useInputField({
            getValue: () => editNumber(this.value),
            refName: "numpadDecimal",
            parse: (text) => this.parse(text),
        });
        useNumpadDecimal();
        useEffect(() => this.keepRefused());
    }

    /**
     * What was typed is gone when the record was discarded or another one is shown: its message goes with it. The answer of
     * the server to what was typed before takes nothing away, however late it comes.
     */
    keepRefused() {
        const { record, name } = this.props;
        if (this.state.text === null || record.isFieldInvalid(name) || document.activeElement === this.inputRef.el) {
            return;
        }
        if (this.refusedIn === record && record.dirty && !this.understood.isValid) {
            record.setInvalidField(name);
            this.inputRef.el.value = this.state.text;
        } else {
            this.state.text = null;
        }
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get shown() {
        return showNumber(this.value);
    }

    /** The unit of a sibling field, which is a text or a record, or a fixed one. */
    get unit() {
        const value = this.props.unitField && this.props.record.data[this.props.unitField];
        return (value && (typeof value === "string" ? value : value.display_name)) || this.props.unit || "";
    }

    /** What is understood of what stands in the field; null while nothing was typed. */
    get understood() {
        return this.state.text === null ? null : this.understand(this.state.text);
    }

    understand(text) {
        return understand(text, { unit: this.unit, hasBounds: this.props.hasBounds, isWhole: this.isWhole });
    }

    get isWhole() {
        return false;
    }

    get messageId() {
        return `${this.props.id || this.props.name}_understood`;
    }

    onInput(ev) {
        this.state.text = ev.target.value;
    }

    /** The message of a refused text stays with it; of a number that was taken over it is no longer needed. */
    onBlur() {
        if (this.understood?.isValid) {
            this.state.text = null;
        }
    }

    parse(text) {
        const { canonical, isValid, message } = this.understand(text);
        this.state.text = text;
        this.refusedIn = isValid ? null : this.props.record;
        if (!isValid) {
            throw new Error(message);
        }
        return canonical === null ? false : canonical;
    }
}

export const numberField = {
    component: NumberField,
    displayName: _t("Exact Number"),
    supportedOptions: [
        { label: _t("Unit"), name: "unit", type: "string" },
        { label: _t("Field of the unit"), name: "unit_field", type: "field", availableTypes: ["char", "many2one", "selection"] },
        { label: _t("Accepts bounds such as <10"), name: "bounds", type: "boolean" },
    ],
    supportedTypes: ["char"],
    // Zero is a value: only a blank is empty.
    isEmpty: (record, fieldName) => record.data[fieldName] === false || record.data[fieldName] === "",
    listViewWidth: [90, 160],
    extractProps: ({ options, placeholder }) => ({
        unit: options.unit,
        unitField: options.unit_field,
        hasBounds: Boolean(options.bounds),
        placeholder,
    }),
};

/** Digits after the point of a quantity with which Odoo calculates (GMP_DIGITS of domain/numbers.py). */
const QUANTITY_DIGITS = 6;
/** Digits of a number that a float holds whatever they are. */
const FLOAT_DIGITS = 15;

/** The same for a quantity or a count that Odoo keeps as a float or an integer: read and shown alike (NUM-010). */
export class QuantityField extends NumberField {
    get value() {
        const value = super.value;
        return typeof value === "number" ? value.toFixed(QUANTITY_DIGITS).replace(/\.?0+$/, "") : value;
    }

    get isWhole() {
        return this.props.record.fields[this.props.name].type === "integer";
    }

    understand(text) {
        const reading = super.understand(text);
        const message = reading.canonical && this.refuse(text.trim(), reading.canonical);
        return message ? { canonical: null, isValid: false, message, shown: "" } : reading;
    }

    /** Why a number cannot be kept; empty where it can. */
    refuse(text, canonical) {
        const decimals = canonical.split(".")[1] || "";
        if (decimals.length > QUANTITY_DIGITS) {
            return _t("%(text)s: at most %(digits)s digits after the decimal separator can be stored.", { text, digits: QUANTITY_DIGITS });
        }
        return canonical.replace(/\D/g, "").length > FLOAT_DIGITS
            ? _t("%(text)s: at most %(digits)s digits can be stored.", { text, digits: FLOAT_DIGITS })
            : "";
    }

    parse(text) {
        const canonical = super.parse(text);
        return canonical === false ? 0 : Number(canonical);
    }
}

export const quantityField = {
    ...numberField,
    component: QuantityField,
    displayName: _t("Quantity"),
    supportedTypes: ["float", "integer"],
    isEmpty: () => false,
};

/** A sentence with numbers of the server, such as limits: shown with the signs of the language, never edited. */
export class NumberTextField extends Component {
    static template = "mrp_mmr.NumberTextField";
    static props = standardFieldProps;

    get shown() {
        return localNumber(this.props.record.data[this.props.name]);
    }
}

export const numberTextField = {
    component: NumberTextField,
    displayName: _t("Text with Numbers"),
    supportedTypes: ["char"],
};

registry.category("fields").add("mmr_number", numberField);
registry.category("fields").add("mmr_number_text", numberTextField);
registry.category("fields").add("mmr_quantity", quantityField);

registry.category("formatters").add("mmr_number", (value) => showNumber(value));
