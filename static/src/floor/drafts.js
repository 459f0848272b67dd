// What a person typed and did not record yet: it survives the way back, a reload and the end of the session.

/** Hours that a draft is kept: no longer than a shift, so that nobody finds a number that was read yesterday. */
const HOURS = 12;

/**
 * Drafts of one person on one terminal, by step and by what is entered there. Nobody sees what another person typed.
 */
export class Drafts {
    /**
     * @param {Object} params
     * @param {Storage} params.storage
     * @param {string} params.owner database and user
     * @param {() => number} [params.now] milliseconds
     */
    constructor({ storage, owner, now = () => Date.now() }) {
        Object.assign(this, { storage, now });
        this.prefix = `mrp_mmr.floor.draft.${owner}.`;
        this.dropOld();
    }

    get keys() {
        return Array.from({ length: this.storage.length }, (_, index) => this.storage.key(index))
            .filter((key) => key?.startsWith(this.prefix));
    }

    read(key) {
        try {
            const draft = JSON.parse(this.storage.getItem(key));
            return draft && this.now() - draft.at < HOURS * 3600 * 1000 ? draft : null;
        } catch {
            // Not written by this class: nothing that anybody typed here.
            return null;
        }
    }

    dropOld() {
        this.keys.filter((key) => !this.read(key)).forEach((key) => this.storage.removeItem(key));
    }

    /** @returns {Object|null} the values that were kept under a key */
    get(key) {
        return this.read(this.prefix + key)?.values || null;
    }

    /** Keep the values under a key; null forgets them. Where the browser has no room left they stay on the screen alone. */
    set(key, values) {
        if (!values) {
            this.storage.removeItem(this.prefix + key);
            return;
        }
        try {
            this.storage.setItem(this.prefix + key, JSON.stringify({ at: this.now(), values }));
        } catch {
            this.storage.removeItem(this.prefix + key);
        }
    }

    /** Forget everything of a step. */
    clearStep(stepId) {
        this.keys.filter((key) => key.startsWith(`${this.prefix}${stepId}/`)).forEach((key) => this.storage.removeItem(key));
    }

    /** Whether something of a step was typed and not recorded. */
    isOpen(stepId) {
        return this.keys.some((key) => key.startsWith(`${this.prefix}${stepId}/`));
    }
}
