/** How people write numbers in their language: read in exactly one way, or refused (NUM-010).
 *
 * The same rules, and why, stand in ``domain/notation.py``; both are held to ``static/tests/numbers/cases.js``. Nothing
 * here needs a browser, and no number becomes a float: canonical texts only, such as "-1200.50".
 *
 * @typedef {{ decimalPoint: string, thousandsSep: string, grouping: number[] }} Notation as ``localization`` has it
 * @typedef {{ canonical: string|null, reason: string|null, readings: string[] }} Reading
 */

export const MAX_INTEGER_DIGITS = 18;
export const MAX_DECIMALS = 12;
/** Zeros of the scripts whose digits are read: full width, Arabic-Indic, Persian, Devanagari, Bengali. */
const SCRIPTS = [0xff10, 0x0660, 0x06f0, 0x0966, 0x09e6];
const SPACES = " \u00a0\u2007\u2009\u202f";
const BLANKS = `${SPACES}\t\r\n\u3000`;
/** Signs that some other language uses for decimals or thousands. */
const SEPARATORS = ".,'\u066b\u066c";
const LIKE = {
    "\uff0e": ".",
    "\uff0c": ",",
    "\uff0d": "-",
    "\uff0b": "+",
    "\u2212": "-",
    "\u3000": " ",
    "\u2019": "'",
};
const CANONICAL = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/;

/** Bounds of what cannot be measured, and how people type them. */
const OPERATORS = { "<": "<", ">": ">", "≤": "≤", "≥": "≥", "<=": "≤", ">=": "≥", "=<": "≤", "=>": "≥" };

class Refusal extends Error {
    constructor(reason, readings = []) {
        super(reason);
        this.reason = reason;
        this.readings = readings;
    }
}

/** Whether a text is a number as it crosses the wire and is stored. */
export function isCanonical(text) {
    if (typeof text !== "string" || !CANONICAL.test(text) || /^-0(\.0+)?$/.test(text)) {
        return false;
    }
    const [integer, decimals = ""] = text.replace("-", "").split(".");
    return integer.length <= MAX_INTEGER_DIGITS && decimals.length <= MAX_DECIMALS;
}

/**
 * Reads what a person wrote. ``canonical`` is null for a blank (``reason`` null) and for what is refused (``reason``
 * says why; ``readings`` has the canonical texts where there are two).
 *
 * @param {string} text
 * @param {Notation} notation
 * @returns {Reading}
 */
export function readNumber(text, notation) {
    try {
        return { canonical: read(String(text), notation), reason: null, readings: [] };
    } catch (error) {
        if (error instanceof Refusal) {
            return { canonical: null, reason: error.reason, readings: error.readings };
        }
        throw error;
    }
}

/**
 * A number in the notation of a language, with all its digits. What is written for editing is not grouped: 12,000 would
 * be refused when it is read again.
 *
 * @param {string|null|false} canonical
 * @param {Notation} notation
 * @param {boolean} [isGrouped]
 */
export function formatNumber(canonical, notation, isGrouped = true) {
    if (canonical === null || canonical === undefined || canonical === false || canonical === "") {
        return "";
    }
    const [, sign, whole, decimals] = /^(-?)(\d+)\.?(\d*)$/.exec(canonical);
    const integer =
        isGrouped && notation.thousandsSep
            ? split(whole, notation.grouping).join(notation.thousandsSep)
            : whole;
    return sign + integer + (decimals ? notation.decimalPoint + decimals : "");
}

/** A number as it was understood, which nobody can read in another way: thousands are separated by narrow spaces. */
export function formatPlainly(canonical, notation) {
    return formatNumber(canonical, { ...notation, thousandsSep: "\u202f", grouping: [3, 0] });
}

/** The canonical operator in front of what a person typed ("" for none), and the rest: ["≤", "10"] of "<= 10". */
export function splitOperator(text) {
    const [whole, operator] = /^\s*([<>]=|=[<>]|[<>≤≥])\s*/.exec(text) || ["", ""];
    return [OPERATORS[operator] || "", text.slice(whole.length)];
}

/** The first of canonical texts less all others, exactly and with the digits of the longest, as canonical text. */
export function subtract(first, ...others) {
    const digits = Math.max(...[first, ...others].map((text) => (text.split(".")[1] || "").length));
    const scale = (text) => {
        const [integer, decimals = ""] = text.split(".");
        return BigInt(integer + decimals.padEnd(digits, "0"));
    };
    const rest = others.reduce((value, text) => value - scale(text), scale(first));
    const plain = String(rest < 0n ? -rest : rest).padStart(digits + 1, "0");
    const at = plain.length - digits;
    return (rest < 0n ? "-" : "") + plain.slice(0, at) + (digits ? `.${plain.slice(at)}` : "");
}

function read(text, notation) {
    const plain = normalize(text, notation);
    if (!plain) {
        return null;
    }
    const sign = plain[0] === "-" ? "-" : "";
    const body = /^[-+]/.test(plain) ? plain.slice(1) : plain;
    if (!body) {
        throw new Refusal("incomplete");
    }
    checkCharacters(body, notation);
    const at = body.indexOf(notation.decimalPoint);
    const whole = at < 0 ? body : body.slice(0, at);
    const decimals = at < 0 ? "" : body.slice(at + notation.decimalPoint.length);
    if (at >= 0) {
        checkDecimals(decimals, notation);
    }
    const integer = readGroups(sign, whole, notation, at >= 0);
    if (integer.length > 1 && integer[0] === "0") {
        throw new Refusal("leading_zeros");
    }
    if (integer.length > MAX_INTEGER_DIGITS || decimals.length > MAX_DECIMALS) {
        throw new Refusal("too_many_digits");
    }
    const canonical = (integer || "0") + (decimals ? `.${decimals}` : "");
    return /[1-9]/.test(canonical) ? sign + canonical : canonical;
}

function trim(text) {
    const chars = [...text];
    while (chars.length && BLANKS.includes(chars[0])) {
        chars.shift();
    }
    while (chars.length && BLANKS.includes(chars.at(-1))) {
        chars.pop();
    }
    return chars;
}

function normalize(text, notation) {
    const scripts = new Set();
    let plain = "";
    for (const char of trim(text)) {
        const code = char.codePointAt(0);
        const zero = [0x30, ...SCRIPTS].find((start) => start <= code && code <= start + 9);
        if (zero === undefined) {
            plain += LIKE[char] || char;
        } else {
            scripts.add(zero);
            plain += code - zero;
        }
    }
    if (scripts.size > 1) {
        throw new Refusal("not_a_number");
    }
    if (scripts.has(0x0660) || scripts.has(0x06f0)) {
        plain = plain.replaceAll("\u066b", notation.decimalPoint).replaceAll("\u066c", "\u202f");
    }
    return plain;
}

function checkCharacters(body, notation) {
    if (/^[0-9., ]+[eE\u00d7*^][-+]?[0-9^*\u00d7-]*$/.test(body)) {
        throw new Refusal("exponent");
    }
    const known = `0123456789${SPACES}${notation.decimalPoint}${notation.thousandsSep || ""}`;
    const strange = [...body].filter((char) => !known.includes(char));
    if (strange.some((char) => !SEPARATORS.includes(char))) {
        throw new Refusal("not_a_number");
    }
    if (strange.length) {
        throw new Refusal("separator");
    }
    if (!/[0-9]/.test(body)) {
        throw new Refusal("incomplete");
    }
}

function checkDecimals(decimals, notation) {
    if (decimals.includes(notation.decimalPoint)) {
        throw new Refusal("several_decimals");
    }
    if (!decimals) {
        throw new Refusal("incomplete");
    }
    if (!/^[0-9]+$/.test(decimals)) {
        throw new Refusal("grouping");
    }
}

function readGroups(sign, whole, notation, hasDecimals) {
    const signs = new Set([...whole].filter((char) => !/[0-9]/.test(char)));
    if (!signs.size) {
        return whole;
    }
    if (signs.size > 1) {
        throw new Refusal("grouping");
    }
    const [separator] = signs;
    const isOwn = separator === notation.thousandsSep;
    const isDecimalElsewhere = separator === "." || separator === ",";
    const groups = whole.split(separator);
    const digits = groups.join("");
    const patterns = isOwn ? [notation.grouping] : [];
    if (SPACES.includes(separator)) {
        patterns.push([3, 0]);
    }
    if (!digits || !patterns.some((pattern) => split(digits, pattern).join() === groups.join())) {
        // Decimals of another language: 12,5 in English.
        const isForeign = isOwn && isDecimalElsewhere && !hasDecimals && groups.length === 2;
        throw new Refusal(isForeign ? "separator" : "grouping");
    }
    if (digits[0] === "0") {
        throw new Refusal(isDecimalElsewhere ? "separator" : "leading_zeros");
    }
    if (isDecimalElsewhere && groups.length === 2 && !hasDecimals) {
        throw new Refusal("ambiguous", [sign + digits, `${sign}${groups[0]}.${groups[1]}`]);
    }
    return digits;
}

/** The groups of digits, first one first; 0 repeats the size before. */
function split(digits, grouping) {
    const groups = [];
    let sizes = [...grouping];
    let size = 0;
    while (digits) {
        const following = sizes.length ? sizes.shift() : -1;
        size = following === 0 ? size : following;
        if (size <= 0) {
            groups.unshift(digits);
            break;
        }
        groups.unshift(digits.slice(-size));
        digits = digits.slice(0, -size);
        if (following === 0) {
            sizes = [0];
        }
    }
    return groups;
}
