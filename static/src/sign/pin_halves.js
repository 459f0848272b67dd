// The halves of keys that this browser holds for continuous sessions: without them no PIN opens anything.

import { browser } from "@web/core/browser/browser";

const PREFIX = "mrp_mmr.half.";

/** 32 random bytes in hexadecimal digits. */
export function makeHalf() {
    return Array.from(window.crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Keeps a half for as long as this window is open; the server never stores it. */
export function keepHalf(token, half) {
    browser.sessionStorage.setItem(PREFIX + token, half);
}

export function getHalf(token) {
    return browser.sessionStorage.getItem(PREFIX + token) || "";
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
