/** Numbers by the language of the person: read, formatted, explained. */
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";

import { formatNumber, formatPlainly, readNumber } from "./number_parser";

/** How the person who is logged in writes numbers; also a parameter of the functions below where that is told. */
export function getNotation() {
    const { decimalPoint, thousandsSep, grouping } = localization;
    return { decimalPoint, thousandsSep: thousandsSep || "", grouping };
}

/** An example of a number with decimals, as that person writes it. */
function example(notation) {
    return formatNumber("12.5", notation);
}

/** Why a text is refused, and what to write instead. */
function explain(text, { reason, readings }, notation) {
    switch (reason) {
        case "ambiguous": {
            const [whole, decimal] = readings.map((canonical) => formatNumber(canonical, notation, false));
            return _t("%(text)s can be read as %(whole)s or as %(decimal)s. Write %(whole)s or %(decimal)s.", { text, whole, decimal });
        }
        case "separator":
        case "grouping":
        case "several_decimals":
            return _t("%(text)s is not a number in your language. Decimals are written %(example)s, thousands without a sign.", {
                text,
                example: example(notation),
            });
        case "exponent":
            return _t("%s has an exponent. Write all digits of the number.", text);
        case "incomplete":
            return _t("%s is not complete.", text);
        case "leading_zeros":
            return _t("%s begins with zeros. Is it a code? Write the number without them.", text);
        case "too_many_digits":
            return _t("%s has more digits than are kept: 18 before and 12 after the decimal sign.", text);
        default:
            return _t("%s is not a number. Write the number only; its unit is shown beside it.", text);
    }
}

/**
 * What is understood of a text that a person types.
 *
 * @param {string} text
 * @param {{ unit?: string, notation?: Object }} [options]
 * @returns {{ canonical: string|null, isValid: boolean, message: string }} the message says what was understood, with its
 *  unit, or why it is refused; it is empty for a blank, whose ``canonical`` is null and which is valid
 */
export function understand(text, { unit = "", notation = getNotation() } = {}) {
    const reading = readNumber(text, notation);
    if (reading.reason) {
        return { canonical: null, isValid: false, message: explain(text.trim(), reading, notation) };
    }
    if (reading.canonical === null) {
        return { canonical: null, isValid: true, message: "" };
    }
    const message = ["=", formatPlainly(reading.canonical, notation), unit].filter(Boolean).join(" ");
    return { canonical: reading.canonical, isValid: true, message };
}

/** A canonical number as it is shown: the separators of the language and all its digits. */
export function showNumber(canonical, notation = getNotation()) {
    return formatNumber(canonical, notation);
}

/** A canonical number as it stands in an input. */
export function editNumber(canonical, notation = getNotation()) {
    return formatNumber(canonical, notation, false);
}
