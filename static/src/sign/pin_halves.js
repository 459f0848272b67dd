// The halves of keys that this browser holds for continuous sessions: without them no PIN opens anything.

import { browser } from "@web/core/browser/browser";

const PREFIX = "mrp_mmr.half.";

/** 32 random bytes in hexadecimal digits. */
export function makeHalf() {
    return Array.from(window.crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Keeps a half for as long as this window is open; the server never stores it.
 * @param {number} length digits of the PIN, so that the last one signs
 */
export function keepHalf(token, half, length) {
    browser.sessionStorage.setItem(PREFIX + token, `${half}.${length}`);
}

/** The half and the digits of the PIN; none where this window holds none. */
export function getHalf(token) {
    const [half, length] = (browser.sessionStorage.getItem(PREFIX + token) || "").split(".");
    return { half, length: Number(length) || 0 };
}

/** Forgets all halves but those of sessions that go on. */
export function forgetHalves(tokens = []) {
    const storage = browser.sessionStorage;
    const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index));
    for (const key of keys) {
        if (key.startsWith(PREFIX) && !tokens.includes(key.slice(PREFIX.length))) {
            storage.removeItem(key);
        }
    }
}
