/** Unit tests of the parser of numbers, by the table that Python is held to. */
import { describe, expect, test } from "@odoo/hoot";

import { formatNumber, formatPlainly, isCanonical, readNumber, subtract } from "@mrp_mmr/numbers/number_parser";
import { editNumber, showNumber, understand } from "@mrp_mmr/numbers/numbers";
import { allowTranslations } from "@web/../tests/web_test_helpers";

import { CASES } from "./cases";

describe.current.tags("headless");

const NOTATIONS = Object.fromEntries(
    Object.entries(CASES.languages).map(([code, row]) => [
        code,
        { decimalPoint: row.decimal_point, thousandsSep: row.thousands_sep, grouping: row.grouping },
    ])
);

test("V-01: each text is read in one way or refused, in each language", () => {
    expect(CASES.read.length).toBeGreaterThan(100);
    const wrong = [];
    for (const [language, text, expected] of CASES.read) {
        const { canonical, reason, readings } = readNumber(text, NOTATIONS[language]);
        const wanted =
            expected && typeof expected === "object"
                ? { canonical: null, reason: expected.reason, readings: expected.readings || [] }
                : { canonical: expected, reason: null, readings: [] };
        const found = { canonical, reason, readings };
        if (JSON.stringify(found) !== JSON.stringify(wanted)) {
            wrong.push({ language, text, wanted, found });
        }
    }
    expect(wrong).toEqual([]);
});

test("NUM-010: the canonical form", () => {
    expect(CASES.canonical.filter((text) => !isCanonical(text))).toEqual([]);
    expect(CASES.not_canonical.filter((text) => isCanonical(text))).toEqual([]);
    expect([null, undefined, false, 12, 98.5].filter(isCanonical)).toEqual([]);
});

test("NUM-020: shown with the separators of the language and all digits, and read again as the same", () => {
    for (const [language, canonical, expected] of CASES.format) {
        const notation = NOTATIONS[language];
        expect(formatNumber(canonical, notation)).toBe(expected);
        expect(readNumber(formatNumber(canonical, notation, false), notation).canonical).toBe(canonical);
        expect(readNumber(formatPlainly(canonical, notation), notation).canonical).toBe(canonical);
    }
    for (const blank of [null, undefined, false, ""]) {
        expect(formatNumber(blank, NOTATIONS.en)).toBe("");
    }
});

test("V-01: what was understood is told with its unit, what is refused with both readings", () => {
    allowTranslations();
    const english = { unit: "CFU/g", notation: NOTATIONS.en };
    expect(understand("12000", english)).toEqual({
        canonical: "12000", isValid: true, message: "= 12\u202f000 CFU/g", shown: "12\u202f000 CFU/g" });
    expect(understand("0", english)).toEqual({ canonical: "0", isValid: true, message: "= 0 CFU/g", shown: "0 CFU/g" });
    expect(understand("  ", english)).toEqual({ canonical: null, isValid: true, message: "", shown: "" });
    const refused = understand("12,000", english);
    expect([refused.canonical, refused.isValid]).toEqual([null, false]);
    expect(refused.message).toBe("12,000 can be read as 12000 or as 12.000. Write 12000 or 12.000.");
    expect(understand("12.5", { notation: NOTATIONS.de }).message).toInclude("Write decimals as 12,5");
    for (const [text, word] of [["1e3", "exponent"], ["5.", "complete"], ["007", "zeros"], ["12 g", "unit"], ["1".repeat(40), "digits"]]) {
        expect(understand(text, english).message).toInclude(word);
    }
    expect(showNumber("1234567.50", NOTATIONS.hi)).toBe("12,34,567.50");
    expect(editNumber("1234567.50", NOTATIONS.de)).toBe("1234567,50");
});

test("V-05: a bound is a result where the specification takes it", () => {
    allowTranslations();
    const options = { unit: "CFU/g", notation: NOTATIONS.de, hasBounds: true };
    for (const [text, canonical, message] of [
        ["<10", "<10", "= <10 CFU/g"],
        ["< 10,5", "<10.5", "= <10,5 CFU/g"],
        ["=> 1000", "≥1000", "= ≥1\u202f000 CFU/g"],
        ["≤2", "≤2", "= ≤2 CFU/g"],
        ["98,0", "98.0", "= 98,0 CFU/g"],
    ]) {
        expect(understand(text, options)).toEqual({ canonical, isValid: true, message, shown: message.slice(2) });
    }
    for (const text of ["<", "<<10", "<1.000", "10<"]) {
        expect(understand(text, options).isValid).toBe(false, { message: text });
    }
    expect(understand("<10", { notation: NOTATIONS.de }).isValid).toBe(false);
    expect(showNumber("<1000.5", NOTATIONS.de)).toBe("<1.000,5");
    expect(editNumber("<1000.5", NOTATIONS.de)).toBe("<1000,5");
});

test("differences are exact", () => {
    for (const [numbers, expected] of [
        [["1000", "990", "4"], "6"],
        [["0.3", "0.1", "0.2"], "0.0"],
        [["1", "0.999999999999"], "0.000000000001"],
        [["123456789012345678", "1"], "123456789012345677"],
        [["1", "2.5"], "-1.5"],
        [["5"], "5"],
    ]) {
        expect(subtract(...numbers)).toBe(expected);
    }
});
