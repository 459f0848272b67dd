/** Numbers by the language of the person: read, formatted, explained. */
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";

import { formatNumber, formatPlainly, isCanonical, readNumber, splitOperator } from "./number_parser";

/** How the person who is logged in writes numbers; also a parameter of the functions below where that is told. */
export function getNotation() {
    const { decimalPoint, thousandsSep, grouping } = localization;
    return { decimalPoint, thousandsSep: thousandsSep || "", grouping };
}

/** An example of a number with decimals, as that person writes it. */
function example(notation) {
    return formatNumber("12.5", notation);
}

/** Characters of a refused text that its message repeats. */
const QUOTED = 24;

/** Why a text is refused, and what to write instead. */
function explain(typed, { reason, readings }, notation, isWhole) {
    const text = typed.length > QUOTED ? `${typed.slice(0, QUOTED)}…` : typed;
    if (reason === "not_whole" || (isWhole && reason === "ambiguous")) {
        return reason === "ambiguous"
            ? _t("%(text)s has a sign between its digits. A whole number is written without: %(whole)s.", {
                  text,
                  whole: formatNumber(readings[0], notation, false),
              })
            : _t("%s is not a whole number.", text);
    }
    switch (reason) {
        case "ambiguous": {
            const [whole, decimal] = readings.map((canonical) => formatNumber(canonical, notation, false));
            return _t("%(text)s can be read as %(whole)s or as %(decimal)s. Write %(whole)s or %(decimal)s.", { text, whole, decimal });
        }
        case "separator":
        case "grouping":
        case "several_decimals":
            return _t("%(text)s is not a number in your language. Write decimals as %(example)s, and thousands without a separator.", {
                text,
                example: example(notation),
            });
        case "exponent":
            return _t("%s has an exponent. Write out all digits of the number.", text);
        case "incomplete":
            return _t("%s is not complete.", text);
        case "leading_zeros":
            return _t("%s begins with zeros. If it is a number, write it without them.", text);
        case "too_many_digits":
            return _t("%s has more digits than can be stored: 18 before and 12 after the decimal separator.", text);
        default:
            return _t("%s is not a number. Type the number only; its unit is shown next to it.", text);
    }
}

/**
 * What is understood of a text that a person types.
 *
 * @param {string} text
 * @param {{ unit?: string, notation?: Object, hasBounds?: boolean, isWhole?: boolean }} [options] ``hasBounds``: "<10" is a
 *  result too; ``isWhole``: a count, which has no decimals, not even zeros: 1.000 labels would be one to some, a thousand to others
 * @returns {{ canonical: string|null, isValid: boolean, message: string, shown: string }} ``shown`` is what was understood,
 *  with its unit; the message says it too, or why the text is refused. Both are empty for a blank, whose ``canonical`` is
 *  null and which is valid
 */
export function understand(text, { unit = "", notation = getNotation(), hasBounds = false, isWhole = false } = {}) {
    const [operator, rest] = hasBounds ? splitOperator(text) : ["", text];
    const reading = readNumber(rest, notation);
    if (!reading.reason && reading.canonical === null && operator) {
        reading.reason = "incomplete";
    }
    if (isWhole && reading.canonical?.includes(".")) {
        reading.reason = "not_whole";
    }
    if (reading.reason) {
        return { canonical: null, isValid: false, message: explain(text.trim(), reading, notation, isWhole), shown: "" };
    }
    if (reading.canonical === null) {
        return { canonical: null, isValid: true, message: "", shown: "" };
    }
    const shown = [operator + formatPlainly(reading.canonical, notation), unit].filter(Boolean).join(" ");
    return { canonical: operator + reading.canonical, isValid: true, message: `= ${shown}`, shown };
}

/** A canonical number, or bound, as it is shown: the separators of the language and all its digits. What is none stays. */
export function showNumber(canonical, notation = getNotation(), isGrouped = true) {
    const [operator, number] = splitOperator(canonical || "");
    return isCanonical(number) ? operator + formatNumber(number, notation, isGrouped) : canonical || "";
}

/** A canonical number, or bound, as it stands in an input. */
export function editNumber(canonical, notation = getNotation()) {
    return showNumber(canonical, notation, false);
}

/**
 * A number of the server, or a sentence with such numbers as limits are, in the notation of the person; no digit is
 * lost, and nobody can read it in another way. What is no number by itself (m2, 10^9) stays as it is.
 */
export function localNumber(text, notation = getNotation()) {
    return text === null || text === undefined || text === false
        ? ""
        : String(text).replace(
              /(^|\s)(-?\d+(?:\.\d+)?)(?=\s|$)/g,
              (_whole, before, number) => before + formatPlainly(number, notation)
          );
}
